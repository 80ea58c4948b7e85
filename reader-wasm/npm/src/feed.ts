/**
 * A feed opened for reading.
 *
 * @module
 */

import { Store } from './cache/store.js';
import { LastgoodError } from './errors.js';
import { safely, type Tell, type Trace } from './events.js';
import { describe, parseCallOptions, type FeedOptions, type Patience } from './options.js';
import type { Failure } from './read/core.js';
import { Driver, type VerifiedReading } from './read/driver.js';
import type { Reading } from './types.js';

/** Reads, keeps and hands out. */
export class OpenFeed {
  readonly url: string;
  readonly #options: FeedOptions;
  readonly #store: Store;
  readonly #driver: Driver;
  readonly #closing = new AbortController();

  constructor(url: string, options: FeedOptions) {
    this.url = url;
    this.#options = options;
    const tell: Tell = safely(options.onEvent);
    const trace: Trace = options.debug ? (line) => console.debug(`lastgood ${url} ${line}`) : undefined;
    this.#store = new Store(url, options.cache, tell);
    this.#driver = new Driver({ url, fetch: options.fetch, init: options.init }, this.#store, trace);
  }

  async read(name: string, options?: unknown): Promise<Reading> {
    const [reading] = await this.#readAll([name], options);
    if (!reading) throw new Error('a read of one dataset has one reading');
    return reading;
  }

  async snapshot(names: readonly string[], options?: unknown): Promise<Record<string, Reading>> {
    if (!Array.isArray(names)) {
      throw new LastgoodError("expected a list of dataset names, such as snapshot(['sales', 'stock'])", {
        code: 'invalid-name',
      });
    }
    const readings = await this.#readAll([...new Set(names)], options);
    return Object.fromEntries(readings.map((reading) => [reading.dataset, reading]));
  }

  close(): void {
    this.#closing.abort(new LastgoodError('the feed was closed: open it again to read on', { code: 'closed' }));
  }

  async #readAll(names: readonly unknown[], given: unknown): Promise<Reading[]> {
    this.#closing.signal.throwIfAborted();
    const { patience, signal } = parseCallOptions(given, this.#options.patience);
    const datasets = names.map(datasetName);
    if (signal?.aborted) throw aborted(signal);
    if (datasets.length === 0) return [];
    const call = new AbortController();
    const leave = () => call.abort(signal?.aborted ? aborted(signal) : this.#closing.signal.reason);
    const enders = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    for (const ender of enders) ender.addEventListener('abort', leave);
    try {
      return await this.#readNow(datasets, patience, call.signal);
    } finally {
      for (const ender of enders) ender.removeEventListener('abort', leave);
    }
  }

  async #readNow(datasets: readonly string[], patience: Patience, signal: AbortSignal): Promise<Reading[]> {
    const { lock, lockWaitMs, timeoutMs } = patience;
    const { maxBytes } = this.#options;
    const outcome = await this.#driver.read({ datasets, lock, lockWaitMs, timeoutMs, maxBytes }, signal);
    this.#store.remember(outcome.memory);
    if ('failure' in outcome) throw this.#error(outcome.failure);
    const kept = this.#store.keep(outcome.readings);
    return outcome.readings.map((reading, index) => handOut(reading, kept[index] ?? null));
  }

  #error({ code, detail, dataset, path, status, retryAfterMs }: Failure): LastgoodError {
    const url = path ? this.url + path : null;
    return new LastgoodError(detail, {
      code,
      url,
      dataset: dataset ?? null,
      status: status ?? null,
      retryAfterMs: retryAfterMs ?? null,
    });
  }
}

function handOut({ core, payload }: VerifiedReading, cachedIn: Reading['cachedIn']): Reading {
  const { dataset, source, reason, generation, sha256, publishedAt, ageMs, checkedAt, meta } = core;
  return {
    dataset,
    source,
    fresh: reason === null,
    reason: reason?.code ?? null,
    detail: reason?.detail ?? null,
    generation,
    sha256,
    publishedAt,
    ageMs,
    checkedAt,
    data: payload.data,
    meta,
    schemaVersion: null,
    cachedIn,
  };
}

function datasetName(name: unknown): string {
  if (typeof name === 'string') return name;
  throw new LastgoodError(`expected a dataset name, found ${describe(name)}`, { code: 'invalid-name' });
}

function aborted(signal: AbortSignal): LastgoodError {
  return new LastgoodError('the call was ended by its signal', { code: 'aborted', cause: signal.reason });
}
