/**
 * What is kept between visits, in localStorage.
 *
 * Storage may be blocked, absent, full or altered, and may become so at any moment; each of its operations can throw. All of that
 * is a cache miss and an event. Nothing read here is believed: the core compares the digest of every payload.
 *
 * @module
 */

import type { Tell } from '../events.js';
import { describe } from '../options.js';
import { parseHead } from '../read/core.js';
import { isQuota } from './blobs.js';
import { inOrder, type Candidate } from './eviction.js';
import { datasetOfHead, headOfPayload, payloadKey } from './keys.js';

/** Whether a payload could be kept; `full` says why not, where there is storage at all. */
export type Kept = { readonly kept: true } | { readonly kept: false; readonly full: string | null };

/** lastgood's part of localStorage. */
export class LocalStore {
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Whether there is localStorage, blocked or not: workers have none. */
  static exists(): boolean {
    try {
      return typeof globalThis.localStorage === 'object' && globalThis.localStorage !== null;
    } catch {
      return true;
    }
  }

  /** A head or a memory. */
  text(key: string): string | null {
    return this.#get(key);
  }

  /** @returns whether it was kept */
  putText(key: string, text: string): boolean {
    return this.#try((storage) => storage.setItem(key, text));
  }

  removeText(key: string): void {
    this.#try((storage) => storage.removeItem(key));
  }

  /** The payload that belongs to a head's key. */
  payload(headKey: string): string | null {
    return this.#get(payloadKey(headKey));
  }

  /**
   * Keeps a payload with its head, and makes room when there is none; the entries whose heads' keys are in `spare` stay. The payload goes
   * first: as long as it cannot be written, the copy before it stays whole and usable.
   */
  keep(key: string, head: string, text: string, spare: readonly string[]): Kept {
    const size = parseHead(head)?.size ?? text.length;
    const payload = this.#put(payloadKey(key), text, size, spare);
    if (!payload.kept) return payload;
    const entry = this.#put(key, head, size, spare);
    // The head before does not fit the new payload: together they would only take up space.
    if (!entry.kept) this.#removeEntry(key);
    return entry;
  }

  /** Removes the heads that name one of these digests, and the payloads beside them; the heads' keys begin with `heads`. */
  purge(heads: string, digests: ReadonlySet<string>): void {
    this.#try((storage) => {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
      for (const key of keys.filter((key) => key.startsWith(heads))) {
        if (digests.has(parseHead(this.#get(key) ?? '')?.sha256 ?? '')) this.#removeEntry(key);
      }
    });
  }

  /** Removes the payload of a dataset, which is kept elsewhere. */
  dropPayload(headKey: string): void {
    this.#try((storage) => storage.removeItem(payloadKey(headKey)));
  }

  /** Writes, and makes room when there is none. */
  #put(key: string, text: string, size: number, spare: readonly string[]): Kept {
    const storage = this.#storage();
    if (!storage) return { kept: false, full: null };
    let problem = setItem(storage, key, text);
    if (problem === null) return { kept: true };
    if (!isQuota(problem)) return { kept: false, full: describe(problem) };
    for (const { headKey } of inOrder(this.#candidates(storage, spare), size)) {
      this.#removeEntry(headKey);
      this.#tell({ type: 'cache-evicted', dataset: datasetOfHead(headKey) });
      problem = setItem(storage, key, text);
      if (problem === null) return { kept: true };
    }
    return { kept: false, full: describe(problem) };
  }

  /** The entries of lastgood, of whichever feed, without those of the call that needs the room. */
  #candidates(storage: Storage, spare: readonly string[]): Candidate[] {
    const candidates: Candidate[] = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = headOfPayload(storage.key(index) ?? '');
      if (key === null || spare.includes(key)) continue;
      const head = this.#get(key);
      candidates.push({ headKey: key, head: head === null ? null : parseHead(head) });
    }
    return candidates;
  }

  #removeEntry(key: string): void {
    this.#try((storage) => {
      storage.removeItem(key);
      storage.removeItem(payloadKey(key));
    });
  }

  #get(key: string): string | null {
    let found: string | null = null;
    try {
      found = this.#storage()?.getItem(key) ?? null;
    } catch (thrown) {
      this.#unavailable(describe(thrown));
    }
    return found;
  }

  #try(write: (storage: Storage) => void): boolean {
    const storage = this.#storage();
    if (!storage) return false;
    try {
      write(storage);
      return true;
    } catch {
      return false;
    }
  }

  #storage(): Storage | null {
    try {
      const storage = globalThis.localStorage;
      if (typeof storage === 'object' && storage !== null) return storage;
      this.#unavailable('there is no localStorage here');
    } catch (thrown) {
      this.#unavailable(describe(thrown));
    }
    return null;
  }

  #unavailable(detail: string): void {
    this.#tell({ type: 'cache-unavailable', detail });
  }
}

/** What is thrown, or nothing. */
function setItem(storage: Storage, key: string, text: string): unknown {
  try {
    storage.setItem(key, text);
    return null;
  } catch (thrown) {
    return thrown ?? 'nothing was said';
  }
}
