/**
 * A feed opened for reading.
 *
 * @module
 */

import { Store } from './cache/store.js';
import { LastgoodError } from './errors.js';
import { safely, type Tell, type Trace } from './events.js';
import { fallbackReading } from './fallback.js';
import { Freshness } from './freshness.js';
import { describe, parseCallOptions, parseWatchOptions, type CallOptions, type FeedOptions } from './options.js';
import type { Failure } from './read/core.js';
import { Driver, type Task, type VerifiedReading } from './read/driver.js';
import type { FallbackReading, Reading } from './types.js';
import type { Desk } from './watch/answers.js';
import { systemClock } from './watch/clock.js';
import { surroundings } from './watch/surroundings.js';
import { updatesOf } from './watch/updates.js';
import { readingsOf, type Subject, type Value } from './watch/watch.js';
import { Watches } from './watch/watches.js';

/** Reads, keeps and hands out. */
export class OpenFeed {
  readonly url: string;
  readonly #options: FeedOptions;
  readonly #tell: Tell;
  readonly #freshness: Freshness;
  readonly #watches: Watches;
  readonly #store: Store;
  readonly #driver: Driver;
  readonly #closing = new AbortController();

  constructor(url: string, options: FeedOptions) {
    this.url = url;
    this.#options = options;
    const tell = safely(options.onEvent);
    this.#tell = tell;
    this.#freshness = new Freshness(tell, () => systemClock.now());
    this.#watches = new Watches(surroundings(url, options, tell));
    const trace: Trace = options.debug ? (line) => console.debug(`lastgood ${url} ${line}`) : undefined;
    this.#store = new Store(url, options.cache, tell);
    this.#driver = new Driver({ url, fetch: options.fetch, init: options.init }, this.#store, trace);
  }

  async read(name: string, options?: unknown): Promise<Reading> {
    const [reading] = await this.#readOnce([name], options);
    if (!reading) throw new Error('a read of one dataset has one reading');
    return reading;
  }

  async snapshot(names: readonly string[], options?: unknown): Promise<Record<string, Reading>> {
    if (!Array.isArray(names)) {
      throw new LastgoodError("expected a list of dataset names, such as snapshot(['sales', 'stock'])", {
        code: 'invalid-name',
      });
    }
    return byName(await this.#readOnce(names, options));
  }

  watch(what: unknown, callback: unknown, options?: unknown): () => void {
    if (typeof callback !== 'function') {
      throw new LastgoodError(`expected a function to call back, found ${describe(callback)}`, { code: 'invalid-options' });
    }
    return this.#subscribe(what, options)((value) => callback(value), () => {});
  }

  updates(what: unknown, options?: unknown): AsyncIterableIterator<Value | FallbackReading> {
    return updatesOf(this.#subscribe(what, options));
  }

  refresh(): Promise<void> {
    return this.#watches.refresh();
  }

  close(): void {
    this.#closing.abort(new LastgoodError('the feed was closed: open it again to read on', { code: 'closed' }));
    this.#watches.close();
  }

  /** Checks what is given; the returned function begins the watch. */
  #subscribe(what: unknown, given: unknown): (onValue: Subject['onValue'], onEnd: () => void) => () => void {
    this.#closing.signal.throwIfAborted();
    const { intervalMs, onError, fallback, ...call } = parseWatchOptions(given, this.#options);
    const several = Array.isArray(what);
    const datasets = several ? datasetNames(what) : [datasetName(what)];
    const [first] = datasets;
    if (fallback.length > 0 && (several || first === undefined)) {
      throw new LastgoodError('the option "fallback" is for one dataset', { code: 'invalid-options' });
    }
    const read: Subject['read'] = async (answers, signal) => {
      const readings = await this.#readAll(datasets, { ...call, signal }, answers.forRead());
      const [reading] = readings;
      return several || reading === undefined ? byName(readings) : reading;
    };
    return (onValue, onEnd) =>
      this.#watches.add(
        {
          intervalMs,
          maxAge: call.patience.maxAge,
          read,
          saw: (outcome) =>
            this.#freshness.saw(datasets, outcome instanceof LastgoodError ? outcome : readingsOf(outcome)),
          onValue: (value) => {
            if (value.source !== 'initial') this.#tellReadings(readingsOf(value as Value));
            onValue(value);
          },
          onError: (error) => {
            this.#tellError(datasets, error);
            onError?.(error);
          },
          fallback:
            fallback.length === 0 || first === undefined
              ? null
              : (reason, detail) => fallbackReading(first, fallback[0], reason, detail),
          onEnd,
        },
        call.signal,
      );
  }

  /** Reads for a caller, and tells of it. */
  async #readOnce(names: readonly unknown[], given: unknown): Promise<Reading[]> {
    this.#closing.signal.throwIfAborted();
    const call = parseCallOptions(given, this.#options.patience);
    const datasets = datasetNames(names);
    try {
      const readings = await this.#readAll(datasets, call, null);
      this.#freshness.saw(datasets, readings);
      this.#tellReadings(readings);
      return readings;
    } catch (error) {
      if (error instanceof LastgoodError && error.code !== 'aborted' && error.code !== 'closed') {
        this.#freshness.saw(datasets, error);
        this.#tellError(datasets, error);
      }
      throw error;
    }
  }

  #tellReadings(readings: readonly Reading[]): void {
    for (const reading of readings) this.#tell({ type: 'reading', dataset: reading.dataset, reading });
  }

  #tellError(datasets: readonly string[], error: LastgoodError): void {
    for (const dataset of error.dataset === null ? datasets : [error.dataset]) this.#tell({ type: 'error', dataset, error });
  }

  async #readAll(datasets: readonly string[], { patience, signal }: CallOptions, desk: Desk | null): Promise<Reading[]> {
    if (signal?.aborted) throw aborted(signal);
    if (datasets.length === 0) return [];
    const call = new AbortController();
    const leave = () => call.abort(signal?.aborted ? aborted(signal) : this.#closing.signal.reason);
    const enders = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    for (const ender of enders) ender.addEventListener('abort', leave);
    try {
      const { lock, lockWaitMs, timeoutMs } = patience;
      const { maxBytes } = this.#options;
      const task: Task = { datasets, lock, lockWaitMs, timeoutMs, maxBytes, desk };
      return await this.#readNow(task, call.signal);
    } finally {
      for (const ender of enders) ender.removeEventListener('abort', leave);
    }
  }

  async #readNow(task: Task, signal: AbortSignal): Promise<Reading[]> {
    const outcome = await this.#driver.read(task, signal);
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

function byName(readings: readonly Reading[]): Record<string, Reading> {
  return Object.fromEntries(readings.map((reading) => [reading.dataset, reading]));
}

/** Names count once. */
function datasetNames(names: readonly unknown[]): string[] {
  return [...new Set(names.map(datasetName))];
}

function datasetName(name: unknown): string {
  if (typeof name === 'string') return name;
  throw new LastgoodError(`expected a dataset name, found ${describe(name)}`, { code: 'invalid-name' });
}

function aborted(signal: AbortSignal): LastgoodError {
  return new LastgoodError('the call was ended by its signal', { code: 'aborted', cause: signal.reason });
}
