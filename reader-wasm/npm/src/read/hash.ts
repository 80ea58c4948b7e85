import { Digest } from 'lastgood_reader';

/** How much is copied into the module's memory at a time, which never shrinks again. */
const PIECE = 64 * 1024;

/**
 * SHA-256 in hex. By the browser, on a thread of its own, so begin early; by the module where the browser has none: it has it on
 * secure origins only.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle) {
    try {
      return hex(new Uint8Array(await subtle.digest('SHA-256', bytes)));
    } catch {
      // A browser may refuse what it has; the module does not.
    }
  }
  const digest = new Digest();
  for (let at = 0; at < bytes.length; at += PIECE) digest.update(bytes.subarray(at, at + PIECE));
  return digest.finish();
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
