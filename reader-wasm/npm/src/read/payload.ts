import { describe } from '../options.js';
import type { Reading } from '../types.js';
import { sha256 } from './hash.js';
import { encoded } from './utf8.js';

/** A payload: hashed, and made into a value. */
export interface Payload {
  /** Computed from its very bytes. */
  readonly sha256: string;
  readonly size: number;
  /** Only during the read: a value that is held has its text. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  /** The text that the value was made from, as a blob where it is large and held; nothing for an artifact. */
  readonly text: string | Blob | null;
  /** The value; of an artifact a `Blob`. */
  readonly data: unknown;
  /** Why there is no value. */
  readonly problem: string | null;
  /** Where a copy was found or is kept. */
  readonly cachedIn: Reading['cachedIn'];
}

/** Hashes and parses JSON. The engine hashes on another thread, so it is asked first. */
export async function readJson(bytes: Uint8Array<ArrayBuffer>): Promise<Payload> {
  const digest = sha256(bytes);
  let [text, data, problem]: [string, unknown, string | null] = ['', undefined, null];
  try {
    // A byte order mark is not swallowed: JSON.parse refuses it.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    data = JSON.parse(text);
  } catch (thrown) {
    problem = describe(thrown);
  }
  return { sha256: await digest, size: bytes.length, bytes, text, data, problem, cachedIn: null };
}

/** Hashes an artifact. */
export async function readArtifact(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Payload> {
  const data = new Blob([bytes], { type });
  return { sha256: await sha256(bytes), size: bytes.length, bytes, text: null, data, problem: null, cachedIn: null };
}

/** The bytes that a payload was made of. */
export async function bytesOf({ bytes, text, size }: Payload): Promise<Uint8Array> {
  if (bytes) return bytes;
  return text instanceof Blob ? new Uint8Array(await text.arrayBuffer()) : encoded(text ?? '', size);
}
