/**
 * Reads datasets as the page wants them: verified by the core, in their shape, and kept.
 *
 * @module
 */

import { Store } from '../cache/store.js';
import { LastgoodError } from '../errors.js';
import type { Tell, Trace } from '../events.js';
import type { FeedOptions, Patience } from '../options.js';
import { versions } from '../shape/migrate.js';
import { Values } from '../shape/shape.js';
import type { Reading, ReasonCode, Shape } from '../types.js';
import type { Desk } from '../watch/answers.js';
import type { CoreReading, Failure, Wanted } from './core.js';
import { Driver, type Task, type VerifiedReading } from './driver.js';
import { unlessAborted } from './flights.js';

/** What is to be read, and how. */
export interface Order {
  readonly datasets: readonly string[];
  readonly patience: Patience;
  /** What they are read as: JSON values, unless said otherwise. */
  readonly kind?: 'artifact';
  /** The shape of all of them; without it, that which `open` was told for each. */
  readonly shape?: Shape | undefined;
  /** Whether this is one more look at what is held and was not locked. */
  readonly again?: boolean;
  /** Answers for the manifest and the lock marker, where they are shared with other reads. */
  readonly desk?: Desk | null;
}

/** A reading, and its payload. */
interface Made {
  readonly reading: VerifiedReading;
  readonly value: unknown;
}

/** Reads from one feed. */
export class Reader {
  readonly #url: string;
  readonly #options: FeedOptions;
  readonly #store: Store;
  readonly #driver: Driver;
  readonly #values = new Values();
  readonly #blobs = new Map<string, { readonly sha256: string; readonly blob: Blob }>();

  constructor(url: string, options: FeedOptions, tell: Tell, trace: Trace) {
    this.#url = url;
    this.#options = options;
    this.#store = new Store(url, options.cache, tell, trace);
    this.#driver = new Driver({ url, fetch: options.fetch, init: options.init }, this.#store, trace);
  }

  /**
   * Readings of all of them, of one generation.
   * @throws {LastgoodError} when there is nothing to hand out
   */
  async read(order: Order, signal: AbortSignal): Promise<Reading[]> {
    const shapeOf = (dataset: string) => order.shape ?? this.#options.shapes.get(dataset) ?? {};
    const task: Task = {
      datasets: order.datasets.map((name) => (order.kind ? { name, kind: order.kind } : json(name, shapeOf(name)))),
      ...order.patience,
      maxBytes: this.#options.maxBytes,
      again: order.again ?? false,
      desk: order.desk ?? null,
    };
    let readings: readonly VerifiedReading[] = [];
    try {
      readings = await this.#readVerified(task, shapeOf, signal);
      return await this.#handOut(await this.#inShape(readings, shapeOf, signal), signal);
    } catch (refusal) {
      if (signal.aborted || !(refusal instanceof LastgoodError)) throw refusal;
      const downloaded = readings.some(({ core }) => core.source === 'network');
      // A page that cannot get at its credentials, because it is offline perhaps, has its copies all the same.
      const noRequest = refusal.code === 'invalid-options';
      if (!downloaded && !noRequest) throw refusal;
      return await this.#handOutCopies(task, shapeOf, refusal, signal);
    }
  }

  /** The copies from before, as after any other failure. Nothing of what was refused has been kept. */
  async #handOutCopies(
    task: Task,
    shapeOf: (dataset: string) => Shape,
    refusal: LastgoodError,
    signal: AbortSignal,
  ): Promise<Reading[]> {
    const code = refusal.code === 'invalid-options' ? 'offline' : (refusal.code as ReasonCode);
    const reason: Failure = { code, detail: refusal.message, dataset: refusal.dataset };
    try {
      const copies = await this.#readVerified({ ...task, instead: { code: 'offline', detail: '' } }, shapeOf, signal);
      const readings = copies.map(({ core, payload }) => ({ core: { ...core, reason }, payload }));
      return await this.#handOut(await this.#inShape(readings, shapeOf, signal), signal);
    } catch (failure) {
      const hasNone = failure instanceof LastgoodError && failure.code !== 'too-old' && !signal.aborted;
      throw hasNone ? refusal : failure;
    }
  }

  async #readVerified(
    task: Task,
    shapeOf: (dataset: string) => Shape,
    signal: AbortSignal,
  ): Promise<VerifiedReading[]> {
    const outcome = await this.#driver.read(task, signal);
    const { memory, purged } = outcome;
    await unlessAborted(Promise.all([this.#store.remember(memory), this.#store.purge(purged, memory)]), signal);
    if (!('failure' in outcome)) return outcome.readings;
    const [tooOld] = await this.#inShape(outcome.tooOld, shapeOf, signal);
    throw this.#error(outcome.failure, tooOld ? handOut(tooOld.reading.core, tooOld.value, null) : null);
  }

  /** The value of each in its shape. */
  #inShape(
    readings: readonly VerifiedReading[],
    shapeOf: (dataset: string) => Shape,
    signal: AbortSignal,
  ): Promise<Made[]> {
    const values = readings.map(async (reading) => {
      const { dataset, sha256, schemaVersion } = reading.core;
      const { text, data } = reading.payload;
      if (text === null) return { reading, value: this.#sameBlob(dataset, sha256, data as Blob) };
      const payload = { dataset, sha256, schemaVersion, text, data };
      return { reading, value: await this.#values.get(payload, shapeOf(dataset)) };
    });
    return unlessAborted(Promise.all(values), signal);
  }

  /** The blob that was handed out before, as long as the artifact has not changed. */
  #sameBlob(dataset: string, sha256: string, blob: Blob): Blob {
    const before = this.#blobs.get(dataset);
    if (before?.sha256 === sha256) return before.blob;
    this.#blobs.set(dataset, { sha256, blob });
    return blob;
  }

  async #handOut(made: readonly Made[], signal: AbortSignal): Promise<Reading[]> {
    const kept = await unlessAborted(this.#store.keep(made.map(({ reading }) => reading)), signal);
    return made.map(({ reading, value }, index) => handOut(reading.core, value, kept[index] ?? null));
  }

  #error(failure: Failure, reading: Reading | null): LastgoodError {
    const { code, detail, path, status = null, retryAfterMs = null } = failure;
    const url = path ? this.#url + path : null;
    const dataset = failure.dataset ?? reading?.dataset ?? null;
    return new LastgoodError(detail, { code, url, dataset, status, retryAfterMs, reading });
  }
}

function json(name: string, shape: Shape): Wanted {
  return { name, kind: 'json', validate: shape.validate ?? true, ...versions(shape) };
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
    ...(core.ext === 'json' ? {} : { ext: core.ext }),
  };
}
