/**
 * Payloads that the page has brought along: a server has read them, and rendered the page with them.
 *
 * @module
 */

import { isReadingOf } from '../fallback.js';
import type { Reading } from '../types.js';
import type { EarlyRequest } from './early.js';

/** They are in the place of the first answer, and verified like one. */
export class Brought {
  /** By the path of the request that they answer. */
  readonly #readings = new Map<string, Reading>();

  /** Takes what a call has as its `fallback`, if that is a reading of the dataset. */
  bring(dataset: string, [fallback]: readonly unknown[]): void {
    if (isReadingOf(dataset, fallback)) this.#readings.set(`${dataset}.json`, fallback);
  }

  /** The answer to a request, once. */
  take(path: string): EarlyRequest | undefined {
    const reading = this.#readings.get(path);
    this.#readings.delete(path);
    return reading && { answer: answer(reading), controller: new AbortController() };
  }
}

/** Nothing, so that the server is asked, unless the bytes are those that were published: written as `JSON.stringify` does. */
async function answer({ data, sha256 }: Reading): Promise<Response | undefined> {
  // Bytes of another digest would be refused, and asked for in a second step.
  const bytes = new TextEncoder().encode(JSON.stringify(data));
  const digest = await globalThis.crypto?.subtle?.digest('SHA-256', bytes);
  const hex = Array.from(new Uint8Array(digest ?? []), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex === sha256 ? new Response(bytes, { headers: { 'content-type': 'application/json' } }) : undefined;
}
