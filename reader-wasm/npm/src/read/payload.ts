import { describe } from '../options.js';
import { sha256 } from './hash.js';
import { encoded } from './utf8.js';

/** A payload: hashed, and made into a value. */
export interface Payload {
  /** Computed from its very bytes. */
  readonly sha256: string;
  readonly size: number;
  /** Only as long as they are needed: a value that is held keeps its text. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** The text that the value was made from, which is what the cache keeps; nothing for an artifact. */
  readonly text: string | null;
  /** The value; of an artifact a `Blob`. */
  readonly data: unknown;
  /** Why there is no value. */
  readonly problem: string | null;
}

/** Hashes and parses JSON. The engine hashes on another thread, so it is asked first. */
export async function readJson(bytes: Uint8Array<ArrayBuffer>): Promise<Payload> {
  const digest = sha256(bytes);
  let [text, data, problem]: [string | null, unknown, string | null] = [null, undefined, null];
  try {
    // A byte order mark is not swallowed: JSON.parse refuses it.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    data = JSON.parse(text);
  } catch (thrown) {
    problem = describe(thrown);
  }
  return { sha256: await digest, size: bytes.length, bytes, text, data, problem };
}

/** Hashes an artifact. */
export async function readArtifact(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Payload> {
  const data = new Blob([bytes], { type });
  return { sha256: await sha256(bytes), size: bytes.length, bytes, text: null, data, problem: null };
}

/** The bytes that a payload was made of. */
export function bytesOf({ bytes, text, size }: Payload): Uint8Array {
  return bytes ?? encoded(text ?? '', size);
}
