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
import { inOrder, type Candidate } from './eviction.js';
import { datasetOfHead, headKey, headOfPayload, memoryKey, payloadKey } from './keys.js';

/** A cached payload and what is known of it, as they stand in the store together. */
export interface LocalEntry {
  readonly head: string;
  /** Nothing when it is not here. */
  readonly text: string | null;
}

/** Whether a payload could be kept; `full` says why not, where there is storage at all. */
export type Kept = { readonly kept: true } | { readonly kept: false; readonly full: string | null };

/** The entries of one feed in localStorage. */
export class LocalStore {
  readonly #feed: string;
  readonly #tell: Tell;
  /** Whether it has been told that there is no storage: once is enough. */
  #told = false;

  constructor(feed: string, tell: Tell) {
    this.#feed = feed;
    this.#tell = tell;
  }

  memory(): string | null {
    return this.#get(memoryKey(this.#feed));
  }

  keepMemory(memory: string): void {
    // Without it a replay goes unnoticed in the next visit; there is nothing else to be done about it.
    this.#try((storage) => storage.setItem(memoryKey(this.#feed), memory));
  }

  /** The head of a dataset as it is kept, readable or not. */
  head(dataset: string): string | null {
    return this.#get(headKey(this.#feed, dataset));
  }

  /**
   * The entry of a dataset. Its payload is read along with its head, so that another tab, which may replace both at any moment, cannot
   * part them.
   */
  entry(dataset: string): LocalEntry | null {
    const key = headKey(this.#feed, dataset);
    const head = this.#get(key);
    return head === null ? null : { head, text: this.#get(payloadKey(key)) };
  }

  /** Replaces a head alone: the payload is the same, or kept elsewhere. */
  keepHead(dataset: string, head: string): boolean {
    return this.#try((storage) => storage.setItem(headKey(this.#feed, dataset), head));
  }

  /**
   * Keeps a payload with its head, and makes room when there is none; entries of the datasets in `spare` stay. The payload goes
   * first: as long as it cannot be written, the copy before it stays whole and usable.
   */
  keep(dataset: string, head: string, text: string, spare: readonly string[]): Kept {
    const key = headKey(this.#feed, dataset);
    const size = parseHead(head)?.size ?? text.length;
    const payload = this.#put(payloadKey(key), text, size, spare);
    if (!payload.kept) return payload;
    const entry = this.#put(key, head, size, spare);
    // The head before does not fit the new payload: together they would only take up space.
    if (!entry.kept) this.#removeEntry(key);
    return entry;
  }

  /** Removes the payload of a dataset, which is kept elsewhere. */
  dropPayload(dataset: string): void {
    this.#try((storage) => storage.removeItem(payloadKey(headKey(this.#feed, dataset))));
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
    const spared = spare.map((dataset) => headKey(this.#feed, dataset));
    const candidates: Candidate[] = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = headOfPayload(storage.key(index) ?? '');
      if (key === null || spared.includes(key)) continue;
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
    if (this.#told) return;
    this.#told = true;
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

/** Whether storage is full. The second name is that of older Firefox. */
function isQuota(thrown: unknown): boolean {
  const name = (thrown as Partial<Error> | null)?.name;
  return name === 'QuotaExceededError' || name === 'NS_ERROR_DOM_QUOTA_REACHED';
}
