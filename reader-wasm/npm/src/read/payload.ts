import { describe } from '../options.js';
import { sha256 } from './hash.js';

/** A payload: hashed, and made into a value. */
export interface Payload {
  /** Computed from its very bytes. */
  readonly sha256: string;
  readonly size: number;
  /** The text that the value was made from, which is what the cache keeps. */
  readonly text: string;
  readonly data: unknown;
  /** Why there is no value. */
  readonly problem: string | null;
}

/** Hashes and parses. The engine hashes on another thread, so it is asked first. */
export async function readPayload(bytes: Uint8Array<ArrayBuffer>): Promise<Payload> {
  const digest = sha256(bytes);
  let [text, data, problem]: [string, unknown, string | null] = ['', undefined, null];
  try {
    // A byte order mark is not swallowed: JSON.parse refuses it.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    data = JSON.parse(text);
  } catch (thrown) {
    problem = describe(thrown);
  }
  return { sha256: await digest, size: bytes.length, text, data, problem };
}
