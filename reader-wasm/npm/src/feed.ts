/**
 * A feed opened for reading.
 *
 * @module
 */

import { ObjectUrls } from './artifact.js';
import { LastgoodError } from './errors.js';
import { safely, type Tell, type Trace } from './events.js';
import { fallbackReading } from './fallback.js';
import { Freshness, isReason } from './freshness.js';
import { Held } from './held.js';
import { LastLook, type Look } from './look.js';
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
import { pageOf, requestInit } from './read/page.js';
import { Reader, Responses, type Order } from './read/reader.js';
import type { ArtifactReading, FallbackReading, Reading, Shape } from './types.js';
import type { Validate } from './validator.js';
import { systemClock } from './watch/clock.js';
import { surroundings } from './watch/surroundings.js';
import { updatesOf } from './watch/updates.js';
import { readingsOf, report, type Subject, type Value } from './watch/watch.js';
import { Watches } from './watch/watches.js';

/** Checks what it is asked for, ends calls early when told to, hands out, and tells what an app may want to log. */
export class OpenFeed {
  readonly url: string;
  readonly #options: FeedOptions;
  readonly #tell: Tell;
  readonly #freshness: Freshness;
  readonly #watches: Watches;
  readonly #reader: Reader;
  readonly #lastLook: LastLook;
  readonly #held: Held;
  readonly #listeners = new Set<() => void>();
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
    this.#watches = new Watches(surroundings(url, options, tell, Responses.make, () => this.#tellListeners()));
    const trace: Trace = options.debug ? (line) => console.debug(`lastgood ${url} ${line}`) : undefined;
    const dropped = (digests: readonly string[] | null) => this.#drop(digests);
    const page = pageOf(url, options, { tell, trace, early, brought: this.#brought, validator, dropped });
    this.#reader = new Reader(page, options.shapes, (look) => this.#looked(look));
    const names = (reading: Reading) => this.#reader.names(reading);
    this.#held = new Held(names);
    this.#lastLook = new LastLook({ clock: systemClock, names, allowedMs: () => this.#watches.allowedMs });
  }

  async read(name: unknown, given?: unknown): Promise<Reading | FallbackReading> {
    if (this.#closed) throw closed();
    const dataset = datasetName(name);
    const parsed = parseReadOptions(given, this.#options.patience, this.#shapeOf(dataset));
    const { shape, ownShape, fallback, ...call } = parsed;
    this.#brought.bring(dataset, fallback);
    try {
      return one(await this.#readOnce({ datasets: [dataset], patience: call.patience, shape, isHeld: !ownShape }, call));
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
    return byName(await this.#readOnce({ datasets: datasetNames(names), patience: call.patience, isHeld: true }, call));
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

  held(what: unknown): Value | null {
    const several = Array.isArray(what);
    const readings = this.#held.get(several ? datasetNames(what) : [datasetName(what)]);
    if (readings === null) return null;
    const judged = readings.map((reading) => this.#lastLook.judge(reading));
    return several ? byName(judged) : one(judged);
  }

  async prefetch(what: unknown): Promise<void> {
    const names = Array.isArray(what) ? what : [datasetName(what)];
    try {
      await this.snapshot(names);
    } catch (error) {
      const isMistake = error instanceof LastgoodError && (isEnd(error) || error.code === 'invalid-name');
      if (isMistake || !(error instanceof LastgoodError)) throw error;
    }
  }

  judge<R extends Reading>(reading: R): R {
    return this.#lastLook.judge(reading);
  }

  onLook(listener: unknown): () => void {
    if (typeof listener !== 'function') {
      throw new LastgoodError(`expected a function to call back, found ${describe(listener)}`, { code: 'invalid-options' });
    }
    const listen = (): void => listener();
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  async forget(): Promise<void> {
    if (this.#closed) throw closed();
    // What it drops at once is told by the module; what is kept on the device goes after what is being written.
    await this.#reader.forget();
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.abort(closed());
    this.#early?.end();
    this.#watches.close();
    this.#listeners.clear();
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
    const parsed = parseWatchOptions(given, this.#options, known);
    const { intervalMs, onError, onChecking, fallback, shape, ownShape, ...call } = parsed;
    const { patience } = call;
    this.#brought.bring(first, fallback);
    const isHeld = !ownShape && !kind;
    const order: Order = { datasets, patience, shape, isHeld, ...(kind && { kind }) };
    const isCachedFirst = patience.cached !== 'fallback';
    const made = (readings: readonly Reading[]): Value => {
      if (kind) return this.#objectUrls.offer(one(readings) as Reading<Blob> & { ext: string });
      return several ? byName(readings) : one(readings);
    };
    // The first look asks whether a commit is in progress. Later ones find out by themselves: a commit that has ended
    // is a new manifest.
    let again = false;
    const read: Subject['read'] = async (given, signal, asksLock) => {
      const readings = await this.#readAll({ ...order, again: !asksLock, responses: given as Responses }, signal);
      again = patience.lock !== 'wait' && readings.every(({ reason }) => reason !== 'locked');
      return made(readings);
    };
    const copies: Subject['copies'] = async (signal) => {
      const readings = await this.#copies(order, 'checking', signal);
      return readings && made(readings.map((reading) => this.#lastLook.judge(reading)));
    };
    return (onValue, onEnd) =>
      this.#watches.add(
        {
          intervalMs,
          maxAge: patience.maxAge,
          read,
          wantsLock: () => !again && patience.lock !== 'ignore',
          held: () => (isCachedFirst && isHeld ? this.#heldWithin(datasets, patience.maxAge, made) : null),
          copies: isCachedFirst ? copies : null,
          judge: (value) => made(readingsOf(value).map((reading) => this.#lastLook.judge(reading))),
          keep: (value, error) => this.#keep(value, error, made),
          onChecking: onChecking ?? (() => {}),
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
      const readings = await this.#readPatiently(order, call);
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

  /** Reads for as long as the call waits; then the copies will do, and the look goes on. */
  async #readPatiently(order: Order, { patience: { within, cached }, signal }: CallOptions): Promise<Reading[]> {
    if (within === null && cached !== 'first') return this.#look(order, signal);
    if (signal?.aborted) throw aborted(signal);
    // The caller's own ends the look only as long as the caller waits.
    const ending = new AbortController();
    const leave = (): void => ending.abort(signal?.reason);
    signal?.addEventListener('abort', leave);
    const looking = this.#look(order, ending.signal);
    looking.catch(() => {});
    let cancel = (): void => {};
    const copies = new Promise<Reading[]>((resolve) => {
      const take = async (): Promise<void> => {
        const reason = cached === 'first' ? 'checking' : 'timeout';
        const readings = await this.#copies(order, reason, ending.signal);
        if (readings === null) return;
        // In time that the page does not wait, nothing was found out; at once, it may be known what the last look has said.
        resolve(reason === 'timeout' ? readings : readings.map((reading) => this.#lastLook.judge(reading)));
      };
      if (cached === 'first') void take();
      else cancel = systemClock.after(within ?? 0, () => void take());
    });
    try {
      return await Promise.race([looking, copies]);
    } finally {
      cancel();
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Looks at the feed for a call; what that has seen, all watches have. */
  async #look(order: Order, signal: AbortSignal | null): Promise<Reading[]> {
    if (!this.#watches.isUsed) return this.#readAll(order, signal);
    const responses = new Responses();
    try {
      return await this.#readAll({ ...order, responses }, signal);
    } finally {
      const isSeen = responses.isUsable && !signal?.aborted && !this.#closed && this.#watches.isUsed;
      if (isSeen) this.#watches.see(responses, order.patience.lock !== 'ignore');
      else responses.end();
    }
  }

  /** The verified copies, without a look; `null` when there are none, or the page may not have them. */
  async #copies(order: Order, reason: 'checking' | 'timeout', signal: AbortSignal): Promise<Reading[] | null> {
    try {
      // A function is asked first: where it refuses, nothing is handed out.
      const { init } = this.#options;
      if (typeof init === 'function') await requestInit(`${this.url}manifest.json`, init);
      return await this.#readAll({ ...order, copies: reason, responses: null }, signal);
    } catch (error) {
      if (!(error instanceof LastgoodError) && !signal.aborted) report(error);
      return null;
    }
  }

  /** What is held, unless it is too old for the watch. */
  #heldWithin(datasets: readonly string[], maxAge: number | null, made: (readings: readonly Reading[]) => Value): Value | null {
    if (this.#closed || typeof this.#options.init === 'function') return null;
    const readings = this.#held.get(datasets)?.map((reading) => this.#lastLook.judge(reading));
    const isTooOld = ({ fresh, checkedAt }: Reading): boolean =>
      !fresh && maxAge !== null && !(systemClock.wall() - Date.parse(checkedAt) <= maxAge);
    return readings === undefined || readings.some(isTooOld) ? null : made(readings);
  }

  /** What is shown, when it could not be read anew. */
  #keep(value: Value, error: LastgoodError, made: (readings: readonly Reading[]) => Value): Value | null {
    const readings = readingsOf(value);
    if (error.code === 'too-old' || !this.#held.stands(readings)) return null;
    const reason = isReason(error) ? error.code : 'offline';
    const keep = (reading: Reading): Reading => {
      const judged = this.#lastLook.judge(reading);
      return judged.fresh ? this.#lastLook.restate(reading, { fresh: false, reason, detail: error.message }) : judged;
    };
    return made(readings.map(keep));
  }

  /** Takes a look, whoever asked for it. */
  #looked(look: Look): void {
    if (!this.#lastLook.saw(look)) return;
    this.#watches.looked(look.failure !== null);
    this.#tellListeners();
  }

  #tellListeners(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        report(error);
      }
    }
  }

  /** Shows no more what was purged, or anything. */
  #drop(digests: readonly string[] | null): void {
    this.#held.drop(digests);
    if (digests !== null) return;
    this.#lastLook.forget();
    this.#watches.forget();
  }

  async #readAll(order: Order, signal: AbortSignal | null): Promise<Reading[]> {
    if (signal?.aborted) throw aborted(signal);
    if (order.datasets.length === 0) return [];
    const call = new AbortController();
    const leave = (): void => call.abort(signal ? aborted(signal) : undefined);
    // Not by a signal of the feed's own, which would have a listener for each of 200 calls: Node warns of that.
    this.#calls.add(call);
    signal?.addEventListener('abort', leave);
    try {
      const readings = await this.#reader.read(order, call.signal);
      if (order.isHeld) this.#held.keep(readings);
      return order.copies ? readings : readings.map((reading) => this.#lastLook.judge(reading));
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
