/**
 * A feed opened for reading.
 *
 * @module
 */

import { ObjectUrls } from './artifact.js';
import { LastgoodError } from './errors.js';
import { safely, type Tell, type Trace } from './events.js';
import { fallbackReading } from './fallback.js';
import { Freshness } from './freshness.js';
import {
  describe,
  parseCallOptions,
  parseReadOptions,
  parseWatchOptions,
  type CallOptions,
  type FeedOptions,
} from './options.js';
import { Brought } from './read/brought.js';
import type { Early } from './read/early.js';
import { pageOf } from './read/page.js';
import { Reader, Responses, type Order } from './read/reader.js';
import type { ArtifactReading, FallbackReading, Reading, Shape } from './types.js';
import type { Validate } from './validator.js';
import { systemClock } from './watch/clock.js';
import { surroundings } from './watch/surroundings.js';
import { updatesOf } from './watch/updates.js';
import { readingsOf, type Subject, type Value } from './watch/watch.js';
import { Watches } from './watch/watches.js';

/** Checks what it is asked for, ends calls early when told to, hands out, and tells what an app may want to log. */
export class OpenFeed {
  readonly url: string;
  readonly #options: FeedOptions;
  readonly #tell: Tell;
  readonly #freshness: Freshness;
  readonly #watches: Watches;
  readonly #reader: Reader;
  readonly #early: Early | null;
  readonly #brought = new Brought();
  readonly #objectUrls = new ObjectUrls();
  /** The calls in progress. */
  readonly #calls = new Set<AbortController>();
  #closed = false;

  constructor(url: string, options: FeedOptions, early: Early | null, validator: () => Promise<Validate>) {
    this.url = url;
    this.#early = early;
    this.#options = options;
    const tell = safely(options.onEvent);
    this.#tell = tell;
    this.#freshness = new Freshness(tell, () => systemClock.now());
    this.#watches = new Watches(surroundings(url, options, tell, Responses.make));
    const trace: Trace = options.debug ? (line) => console.debug(`lastgood ${url} ${line}`) : undefined;
    this.#reader = new Reader(pageOf(url, options, { tell, trace, early, brought: this.#brought, validator }), options.shapes);
  }

  async read(name: unknown, given?: unknown): Promise<Reading | FallbackReading> {
    if (this.#closed) throw closed();
    const dataset = datasetName(name);
    const { shape, fallback, ...call } = parseReadOptions(given, this.#options.patience, this.#shapeOf(dataset));
    this.#brought.bring(dataset, fallback);
    try {
      return one(await this.#readOnce({ datasets: [dataset], patience: call.patience, shape }, call));
    } catch (error) {
      // A name that can never be one is a mistake in the page, which a fallback would hide.
      const stands = fallback.length > 0 && error instanceof LastgoodError && !isEnd(error) && error.code !== 'invalid-name';
      if (!stands) throw error;
      return fallbackReading(dataset, fallback[0], error.code, error.message);
    }
  }

  async snapshot(names: unknown, given?: unknown): Promise<Record<string, Reading>> {
    if (!Array.isArray(names)) {
      throw new LastgoodError("expected a list of dataset names, such as snapshot(['sales', 'stock'])", {
        code: 'invalid-name',
      });
    }
    if (this.#closed) throw closed();
    const call = parseCallOptions(given, this.#options.patience);
    return byName(await this.#readOnce({ datasets: datasetNames(names), patience: call.patience }, call));
  }

  async artifact(name: unknown, given?: unknown): Promise<ArtifactReading> {
    if (this.#closed) throw closed();
    const call = parseCallOptions(given, this.#options.patience);
    const order: Order = { datasets: [datasetName(name)], patience: call.patience, kind: 'artifact' };
    return this.#objectUrls.offer(one(await this.#readOnce(order, call)) as Reading<Blob> & { ext: string });
  }

  watch(what: unknown, callback: unknown, options?: unknown): () => void {
    return this.#callBack(callback, this.#subscribe(what, options));
  }

  watchArtifact(name: unknown, callback: unknown, options?: unknown): () => void {
    return this.#callBack(callback, this.#subscribe(datasetName(name), options, 'artifact'));
  }

  #callBack(callback: unknown, begin: (onValue: Subject['onValue'], onEnd: () => void) => () => void): () => void {
    if (typeof callback !== 'function') {
      throw new LastgoodError(`expected a function to call back, found ${describe(callback)}`, { code: 'invalid-options' });
    }
    return begin((value) => callback(value), () => {});
  }

  updates(what: unknown, options?: unknown): AsyncIterableIterator<Value | FallbackReading> {
    return updatesOf(this.#subscribe(what, options));
  }

  refresh(): Promise<void> {
    return this.#watches.refresh();
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.abort(closed());
    this.#early?.end();
    this.#watches.close();
    this.#objectUrls.revokeAll();
  }

  #shapeOf(dataset: string): Shape {
    return this.#options.shapes.get(dataset) ?? {};
  }

  /** Checks what is given; the returned function begins the watch. */
  #subscribe(
    what: unknown,
    given: unknown,
    kind?: 'artifact',
  ): (onValue: Subject['onValue'], onEnd: () => void) => () => void {
    if (this.#closed) throw closed();
    const several = Array.isArray(what);
    const datasets = several ? datasetNames(what) : [datasetName(what)];
    const [first = ''] = datasets;
    const known = several || kind ? undefined : this.#shapeOf(first);
    const { intervalMs, onError, fallback, shape, ...call } = parseWatchOptions(given, this.#options, known);
    const { patience } = call;
    this.#brought.bring(first, fallback);
    // The first look asks whether a commit is in progress. Later ones find out by themselves: a commit that has ended
    // is a new manifest.
    let again = false;
    const read: Subject['read'] = async (given, signal) => {
      const responses = given as Responses;
      const order: Order = { datasets, patience, shape, again, responses, ...(kind && { kind }) };
      const readings = await this.#readAll(order, { ...call, signal });
      again = patience.lock !== 'wait' && readings.every(({ reason }) => reason !== 'locked');
      if (kind) return this.#objectUrls.offer(one(readings) as Reading<Blob> & { ext: string });
      return several ? byName(readings) : one(readings);
    };
    return (onValue, onEnd) =>
      this.#watches.add(
        {
          intervalMs,
          maxAge: patience.maxAge,
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
            fallback.length === 0 ? null : (reason, detail) => fallbackReading(first, fallback[0], reason, detail),
          onEnd,
        },
        call.signal,
      );
  }

  /** Reads for a caller, and tells of it. */
  async #readOnce(order: Order, call: CallOptions): Promise<Reading[]> {
    const { datasets } = order;
    try {
      const readings = await this.#readAll(order, call);
      this.#freshness.saw(datasets, readings);
      this.#tellReadings(readings);
      return readings;
    } catch (error) {
      if (error instanceof LastgoodError && !isEnd(error)) {
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

  async #readAll(order: Order, { signal }: CallOptions): Promise<Reading[]> {
    if (signal?.aborted) throw aborted(signal);
    if (order.datasets.length === 0) return [];
    const call = new AbortController();
    const leave = (): void => call.abort(signal ? aborted(signal) : undefined);
    // Not by a signal of the feed's own, which would have a listener for each of 200 calls: Node warns of that.
    this.#calls.add(call);
    signal?.addEventListener('abort', leave);
    try {
      return await this.#reader.read(order, call.signal);
    } finally {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', leave);
    }
  }
}

function one(readings: readonly Reading[]): Reading {
  const [reading] = readings;
  if (!reading) throw new Error('a read of one dataset has one reading');
  return reading;
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

function closed(): LastgoodError {
  return new LastgoodError('the feed was closed: open it again to read on', { code: 'closed' });
}

function aborted(signal: AbortSignal): LastgoodError {
  return new LastgoodError('the call was ended by its signal', { code: 'aborted', cause: signal.reason });
}

/** Whether a call has ended because it was told to, which is no failure. */
function isEnd({ code }: LastgoodError): boolean {
  return code === 'aborted' || code === 'closed';
}
