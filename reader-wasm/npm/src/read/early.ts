/**
 * The requests that are sent while the module that reads is still loaded: the first read takes their answers.
 *
 * @module
 */

import type { FeedOptions } from '../options.js';
import { requestInit } from './page.js';

/** How old an answer may be when it is taken: no older than what a watch takes for current. */
const FRESH_MS = 1_000;

export class Early {
  readonly #url: string;
  readonly #options: FeedOptions;
  readonly #answers = new Map<string, Promise<unknown>>();
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

  /** The answer to a request, once; nothing when none was sent, or too long ago. */
  take(path: string): Promise<unknown> | undefined {
    const answer = this.#answers.get(path);
    this.#answers.delete(path);
    const isFresh = this.#readyAt === null || performance.now() - this.#readyAt < FRESH_MS;
    return isFresh ? answer : undefined;
  }

  #ask(path: string, cache: RequestCache): void {
    const { init, fetch } = this.#options;
    const ask = async (): Promise<unknown> => {
      const url = this.#url + path;
      const given = await requestInit(url, init);
      const headers = given.headers as Headers;
      if (!headers.has('accept')) headers.set('accept', 'application/json');
      return (fetch ?? globalThis.fetch)(url, { ...given, cache });
    };
    const answer = ask();
    // It may be that nobody takes it.
    answer.catch(() => {});
    this.#answers.set(path, answer);
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
