/**
 * A feed opened for reading.
 *
 * @module
 */

import { Store } from './cache/store.js';
import { LastgoodError } from './errors.js';
import { safely, type Tell, type Trace } from './events.js';
import { describe, parseCallOptions, parseReadOptions, type CallOptions, type FeedOptions, type Patience } from './options.js';
import type { CoreReading, Failure } from './read/core.js';
import { Driver, type Task, type VerifiedReading } from './read/driver.js';
import { unlessAborted } from './read/flights.js';
import { Values } from './shape/shape.js';
import type { Reading, ReasonCode, Shape } from './types.js';

/** Reads, keeps and hands out. */
export class OpenFeed {
  readonly url: string;
  readonly #options: FeedOptions;
  readonly #store: Store;
  readonly #driver: Driver;
  readonly #values = new Values();
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
    this.#closing.signal.throwIfAborted();
    const call = parseReadOptions(options, this.#options.patience, this.#shapeOf(name));
    const [reading] = await this.#readAll([name], call, call.shape);
    if (!reading) throw new Error('a read of one dataset has one reading');
    return reading;
  }

  async snapshot(names: readonly string[], options?: unknown): Promise<Record<string, Reading>> {
    if (!Array.isArray(names)) {
      throw new LastgoodError("expected a list of dataset names, such as snapshot(['sales', 'stock'])", {
        code: 'invalid-name',
      });
    }
    this.#closing.signal.throwIfAborted();
    const call = parseCallOptions(options, this.#options.patience);
    const readings = await this.#readAll([...new Set(names)], call);
    return Object.fromEntries(readings.map((reading) => [reading.dataset, reading]));
  }

  close(): void {
    this.#closing.abort(new LastgoodError('the feed was closed: open it again to read on', { code: 'closed' }));
  }

  #shapeOf(dataset: string): Shape {
    return this.#options.shapes.get(dataset) ?? {};
  }

  /** With a shape for all of them, or that which `open` was told for each. */
  async #readAll(names: readonly unknown[], { patience, signal }: CallOptions, shape?: Shape): Promise<Reading[]> {
    const datasets = names.map(datasetName);
    if (signal?.aborted) throw aborted(signal);
    if (datasets.length === 0) return [];
    const call = new AbortController();
    const leave = () => call.abort(signal?.aborted ? aborted(signal) : this.#closing.signal.reason);
    const enders = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    for (const ender of enders) ender.addEventListener('abort', leave);
    try {
      return await this.#readNow(datasets, patience, shape, call.signal);
    } finally {
      for (const ender of enders) ender.removeEventListener('abort', leave);
    }
  }

  async #readNow(
    datasets: readonly string[],
    patience: Patience,
    shape: Shape | undefined,
    signal: AbortSignal,
  ): Promise<Reading[]> {
    const { lock, lockWaitMs, timeoutMs } = patience;
    const { maxBytes } = this.#options;
    const task: Task = { datasets, lock, lockWaitMs, timeoutMs, maxBytes };
    const readings = await this.#readVerified(task, signal);
    try {
      return this.#handOut(readings, await this.#valuesOf(readings, shape, signal));
    } catch (refusal) {
      const downloaded = readings.some(({ core }) => core.source === 'network');
      if (!downloaded || signal.aborted || !(refusal instanceof LastgoodError)) throw refusal;
      return await this.#handOutCopies(task, shape, refusal, signal);
    }
  }

  /** The copies from before, as after any other failure. Nothing of what was refused has been kept. */
  async #handOutCopies(
    task: Task,
    shape: Shape | undefined,
    refusal: LastgoodError,
    signal: AbortSignal,
  ): Promise<Reading[]> {
    const reason: Failure = { code: refusal.code as ReasonCode, detail: refusal.message, dataset: refusal.dataset };
    try {
      const copies = await this.#readVerified({ ...task, instead: { code: 'offline', detail: '' } }, signal);
      const readings = copies.map(({ core, payload }) => ({ core: { ...core, reason }, payload }));
      return this.#handOut(readings, await this.#valuesOf(readings, shape, signal));
    } catch (none) {
      throw none instanceof LastgoodError && !signal.aborted ? refusal : none;
    }
  }

  async #readVerified(task: Task, signal: AbortSignal): Promise<VerifiedReading[]> {
    const outcome = await this.#driver.read(task, signal);
    this.#store.remember(outcome.memory);
    if ('failure' in outcome) throw this.#error(outcome.failure);
    return outcome.readings;
  }

  /** The value of each in its shape. */
  #valuesOf(readings: readonly VerifiedReading[], shape: Shape | undefined, signal: AbortSignal): Promise<unknown[]> {
    const values = readings.map(({ core: { dataset, sha256, schemaVersion = null }, payload: { text, data } }) =>
      this.#values.get({ dataset, sha256, schemaVersion, text, data }, shape ?? this.#shapeOf(dataset)),
    );
    return unlessAborted(Promise.all(values), signal);
  }

  #handOut(readings: readonly VerifiedReading[], values: readonly unknown[]): Reading[] {
    const kept = this.#store.keep(readings);
    return readings.map(({ core }, index) => handOut(core, values[index], kept[index] ?? null));
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

function handOut(core: CoreReading, data: unknown, cachedIn: Reading['cachedIn']): Reading {
  const { dataset, source, reason, generation, sha256, publishedAt, ageMs, checkedAt, meta, schemaVersion } = core;
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
    data,
    meta,
    schemaVersion: schemaVersion ?? null,
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
