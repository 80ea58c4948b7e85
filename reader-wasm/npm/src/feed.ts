/**
 * A feed opened for reading.
 *
 * @module
 */

import { Store } from './cache/store.js';
import { LastgoodError } from './errors.js';
import { safely, type Tell, type Trace } from './events.js';
import { describe, parseCallOptions, parseReadOptions, type CallOptions, type FeedOptions } from './options.js';
import type { CoreReading, Failure, Wanted } from './read/core.js';
import { Driver, type Task, type VerifiedReading } from './read/driver.js';
import { unlessAborted } from './read/flights.js';
import { versions } from './shape/migrate.js';
import { Values } from './shape/shape.js';
import type { ReasonCode, Reading, Shape } from './types.js';

/** What is to be read as what. */
type Shapes = ReadonlyMap<string, Shape>;

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
    const { shape, ...call } = parseReadOptions(options, this.#options.patience, this.#shapeOf(name));
    const [reading] = await this.#readAll(new Map([[datasetName(name), shape]]), call);
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
    const shapes = new Map(names.map((name: unknown) => [datasetName(name), this.#shapeOf(name)]));
    const readings = await this.#readAll(shapes, call);
    return Object.fromEntries(readings.map((reading) => [reading.dataset, reading]));
  }

  close(): void {
    this.#closing.abort(new LastgoodError('the feed was closed: open it again to read on', { code: 'closed' }));
  }

  /** What `open` was told of a dataset. */
  #shapeOf(name: unknown): Shape {
    return this.#options.shapes.get(String(name)) ?? {};
  }

  async #readAll(shapes: Shapes, { patience, signal }: CallOptions): Promise<Reading[]> {
    if (signal?.aborted) throw aborted(signal);
    if (shapes.size === 0) return [];
    const task: Task = { datasets: wanted(shapes), ...patience, maxBytes: this.#options.maxBytes, again: false };
    const call = new AbortController();
    const leave = () => call.abort(signal?.aborted ? aborted(signal) : this.#closing.signal.reason);
    const enders = signal ? [signal, this.#closing.signal] : [this.#closing.signal];
    for (const ender of enders) ender.addEventListener('abort', leave);
    try {
      return await this.#readNow(task, shapes, call.signal);
    } finally {
      for (const ender of enders) ender.removeEventListener('abort', leave);
    }
  }

  /** Reads; what a shape refuses gives way to the copy from before, as after any other failure. */
  async #readNow(task: Task, shapes: Shapes, signal: AbortSignal): Promise<Reading[]> {
    const readings = await this.#readVerified(task, shapes, signal);
    try {
      return await this.#handOut(readings, shapes, signal);
    } catch (refusal) {
      const hasNew = readings.some(({ core }) => core.source === 'network');
      if (!hasNew || signal.aborted || !(refusal instanceof LastgoodError)) throw refusal;
      return await this.#handOutCopies(task, shapes, refusal, signal);
    }
  }

  async #handOutCopies(task: Task, shapes: Shapes, refusal: LastgoodError, signal: AbortSignal): Promise<Reading[]> {
    const reason: Failure = { code: refusal.code as ReasonCode, detail: refusal.message, dataset: refusal.dataset };
    try {
      // The core falls back to the copies, and verifies them, when the server has no answer.
      const none: Failure = { code: 'offline', detail: refusal.message };
      const copies = await this.#readVerified({ ...task, instead: none }, shapes, signal);
      const readings = copies.map(({ core, payload }) => ({ core: { ...core, reason }, payload }));
      return await this.#handOut(readings, shapes, signal);
    } catch (failure) {
      const says = signal.aborted || !(failure instanceof LastgoodError) || failure.code === 'too-old';
      throw says ? failure : refusal;
    }
  }

  async #readVerified(task: Task, shapes: Shapes, signal: AbortSignal): Promise<VerifiedReading[]> {
    const outcome = await this.#driver.read(task, signal);
    this.#store.remember(outcome.memory);
    if (!('failure' in outcome)) return outcome.readings;
    const [tooOld] = outcome.tooOld;
    const value = tooOld && (await this.#valueOf(tooOld, shapes));
    throw this.#error(outcome.failure, tooOld ? handOut(tooOld.core, value, null) : null);
  }

  /** Keeps only what no shape has refused. */
  async #handOut(readings: readonly VerifiedReading[], shapes: Shapes, signal: AbortSignal): Promise<Reading[]> {
    const making = Promise.all(readings.map((reading) => this.#valueOf(reading, shapes)));
    const values = await unlessAborted(making, signal);
    const kept = this.#store.keep(readings);
    return readings.map(({ core }, index) => handOut(core, values[index], kept[index] ?? null));
  }

  #valueOf({ core, payload: { text, data } }: VerifiedReading, shapes: Shapes): Promise<unknown> {
    const { dataset, sha256, schemaVersion } = core;
    return this.#values.get({ dataset, sha256, schemaVersion, text: text ?? '', data }, shapes.get(dataset) ?? {});
  }

  #error(failure: Failure, reading: Reading | null): LastgoodError {
    const { code, detail, dataset, path, status, retryAfterMs } = failure;
    const url = path ? this.url + path : null;
    return new LastgoodError(detail, {
      code,
      url,
      dataset: dataset ?? null,
      status: status ?? null,
      retryAfterMs: retryAfterMs ?? null,
      reading,
    });
  }
}

function wanted(shapes: Shapes): Wanted[] {
  return [...shapes].map(([name, shape]) => ({
    name,
    kind: 'json',
    validate: shape.validate ?? true,
    ...versions(shape),
  }));
}

function handOut(core: CoreReading, data: unknown, cachedIn: Reading['cachedIn']): Reading {
  const { dataset, source, reason, generation, sha256, publishedAt, ageMs, checkedAt, meta, schemaVersion } = core;
  return {
    dataset,
    source,
    fresh: reason === null,
    // What has failed is never `too-old`: only what would be handed out because of it can be.
    reason: (reason?.code as ReasonCode | undefined) ?? null,
    detail: reason?.detail ?? null,
    generation,
    sha256,
    publishedAt,
    ageMs,
    checkedAt,
    data,
    meta,
    schemaVersion,
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
