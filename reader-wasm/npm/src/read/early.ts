/**
 * The requests that are sent while the module that reads is still loaded: the first read takes their answers.
 *
 * @module
 */

import type { FeedOptions } from '../options.js';
import { requestInit } from './page.js';

/** How old an answer may be when it is taken: no older than what a watch takes for current. */
const FRESH_MS = 1_000;

/** A request that has been sent. */
export interface EarlyRequest {
  /** Nothing when it could not be sent, and is to be sent again. */
  readonly answer: Promise<unknown>;
  readonly controller: AbortController;
}

export class Early {
  readonly #url: string;
  readonly #options: FeedOptions;
  readonly #requests = new Map<string, EarlyRequest>();
  #readyAt: number | null = null;

  /** Asks for the manifest and the lock marker, and for the plain copies of `datasets` of which this device keeps nothing. */
  constructor(url: string, options: FeedOptions, datasets: readonly string[]) {
    this.#url = url;
    this.#options = options;
    // The payloads first: they take longest.
    for (const name of datasets) {
      if (!isKept(url, name)) this.#ask(`${name}.json`, 'no-cache');
    }
    this.#ask('manifest.json', 'no-cache');
    if (options.patience.lock !== 'ignore') this.#ask('.lock', 'no-store');
  }

  /** The module is there: from now on the answers age. */
  ready(): void {
    this.#readyAt = performance.now();
  }

  /** A request, once; nothing when none was sent, or too long ago. */
  take(path: string): EarlyRequest | undefined {
    if (this.#readyAt !== null && performance.now() - this.#readyAt >= FRESH_MS) this.end();
    const request = this.#requests.get(path);
    this.#requests.delete(path);
    return request;
  }

  /** Ends the requests that nobody has taken. */
  end(): void {
    for (const { controller } of this.#requests.values()) controller.abort();
    this.#requests.clear();
  }

  #ask(path: string, cache: RequestCache): void {
    const { init, fetch } = this.#options;
    const url = this.#url + path;
    const controller = new AbortController();
    const ask = async (): Promise<unknown> => {
      let given: RequestInit;
      try {
        given = await requestInit(url, init);
      } catch {
        // The read asks the function again, and tells of it.
        return undefined;
      }
      const headers = given.headers as Headers;
      if (!headers.has('accept')) headers.set('accept', 'application/json');
      return (fetch ?? globalThis.fetch)(url, { ...given, cache, signal: controller.signal });
    };
    const answer = ask();
    // It may be that nobody takes it.
    answer.catch(() => {});
    this.#requests.set(path, { answer, controller });
  }
}

/** Whether this device keeps something of a dataset, so that its payload is asked for only when it has changed. */
function isKept(url: string, dataset: string): boolean {
  try {
    return globalThis.localStorage.getItem(`lastgood:1:${url}:${dataset}`) !== null;
  } catch {
    return false;
  }
}
