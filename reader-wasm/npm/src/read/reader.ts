/**
 * Reads datasets: asks the module, gives it the page's shapes, and makes errors and readings of what it says.
 *
 * @module
 */

import { cancel, Reader as Module, SharedResponses } from 'lastgood_reader';

import { LastgoodError } from '../errors.js';
import type { Look } from '../look.js';
import type { Patience } from '../options.js';
import { versions } from '../shape/migrate.js';
import { Values } from '../shape/shape.js';
import type { Reading, Shape } from '../types.js';
import { guarded, instance, onTrap } from '../wasm.js';
import type { Failure, MakeResponses, Told } from '../watch/responses.js';
import type { Page } from './page.js';

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
  readonly responses?: Responses | null;
  /** Whether what it brings is held for those who want it at once. */
  readonly isHeld?: boolean;
  /** Hand out the copies for this reason, without a look. */
  readonly copies?: 'checking' | 'timeout';
}

/** An order, as `reader-wasm/src/reader.rs` has it. */
export interface Task extends Patience {
  readonly datasets: readonly Wanted[];
  readonly again: boolean;
  readonly copies?: Order['copies'];
}

/** A dataset and what it is read as. */
type Wanted =
  | { readonly name: string; readonly kind: 'artifact' }
  | {
      readonly name: string;
      /** Whether the value is validated against its published schema. */
      readonly validate: boolean;
      /** Whether the page has a shape of its own for it. */
      readonly own: boolean;
      /** The versions of the schema that can be read; both or none. */
      readonly oldest?: number;
      readonly newest?: number;
    };

/** Makes the value that the page wants of a verified payload. */
export type ShapeOf = (
  dataset: string,
  sha256: string,
  schemaVersion: number | null,
  text: string | Blob,
  data: unknown,
) => Promise<unknown>;

/** A reading without what is added here, and where its copy is. */
type Made = readonly [Reading, { readonly place?: Reading['cachedIn'] }];

/** The responses that the reads of one look share. They are of no use to another instance of the module. */
export class Responses {
  readonly #instance = instance();
  readonly module: SharedResponses;
  /** Whether another tab has told of them. */
  readonly heard: boolean;
  #ended = false;

  constructor(heard?: Told) {
    this.heard = heard !== undefined;
    this.module = heard ? SharedResponses.heard(heard.manifest, heard.lock) : new SharedResponses();
  }

  static readonly make: MakeResponses<Responses> = (heard) => new Responses(heard);

  get isUsable(): boolean {
    return !this.#ended && this.#instance === instance();
  }

  end(): void {
    if (this.isUsable) this.module.free();
    this.#ended = true;
  }

  told(): Told | null {
    return (this.isUsable && this.module.told()) || null;
  }
}

/** Reads from one feed. */
export class Reader {
  readonly #page: Page;
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #values = new Values();
  readonly #onLook: (look: Look) => void;
  #module: { readonly reader: Module; readonly instance: number } | null = null;

  /** `onLook` is told of each look at the feed, before what it has brought is handed out. */
  constructor(page: Page, shapes: ReadonlyMap<string, Shape>, onLook: (look: Look) => void) {
    this.#page = page;
    this.#shapes = shapes;
    this.#onLook = onLook;
  }

  /** Whether the manifest that was accepted last names what was read, as it was published. */
  names({ dataset, sha256, publishedAt }: Reading): boolean {
    return this.#module?.instance === instance() && guarded(() => this.#reader().names(dataset, sha256, publishedAt));
  }

  /** Forgets all that is kept of the feed. */
  forget(): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = onTrap(reject);
      const done = (): void => {
        end();
        resolve();
      };
      guarded(() => this.#reader().forget(done));
    });
  }

  /**
   * Readings of all of them, of one generation.
   * @throws {LastgoodError} when there is nothing to hand out
   */
  async read(order: Order, signal: AbortSignal): Promise<Reading[]> {
    signal.throwIfAborted();
    const shapeOf = (dataset: string) => order.shape ?? this.#shapes.get(dataset) ?? {};
    const datasets = order.datasets.map((name): Wanted => (order.kind ? { name, kind: order.kind } : json(name, shapeOf(name))));
    const { copies } = order;
    const task: Task = { ...order.patience, datasets, again: order.again ?? false, ...(copies && { copies }) };
    const shape: ShapeOf = (dataset, sha256, schemaVersion, text, data) =>
      this.#values.get({ dataset, sha256, schemaVersion, text, data }, shapeOf(dataset));
    const given = order.responses?.isUsable ? order.responses : null;
    const responses = given ?? new Responses();
    try {
      return await this.#ask(task, shape, responses, signal);
    } finally {
      if (!given) responses.end();
    }
  }

  #ask(task: Task, shape: ShapeOf, responses: Responses, signal: AbortSignal): Promise<Reading[]> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener('abort', leave);
        forget();
      };
      const leave = (): void => {
        end();
        guarded(() => cancel(id));
        reject(signal.reason);
      };
      const forget = onTrap((error) => {
        end();
        reject(error);
      });
      signal.addEventListener('abort', leave);
      const id = guarded(() =>
        this.#reader().read(task, shape, responses.module, (error, readings, look) => {
          end();
          if (look && !task.copies) this.#looked(look as Look, responses);
          const made = ((readings ?? []) as readonly Made[]).map(([reading, copy]) => handOut(reading, copy));
          if (error === null) resolve(made);
          else reject(error instanceof LastgoodError ? error : this.#error(error as Failure, made[0] ?? null));
        }),
      );
    });
  }

  #looked(look: Look, { heard }: Responses): void {
    // What another tab has seen may be older than what this one has seen since.
    if (!heard || look.failure?.code !== 'regressed') this.#onLook(look);
  }

  #reader(): Module {
    if (this.#module?.instance !== instance()) this.#module = { reader: new Module(this.#page), instance: instance() };
    return this.#module.reader;
  }

  #error(failure: Failure, reading: Reading | null): LastgoodError {
    const { code, detail, path, dataset = null, status = null, retryAfterMs = null } = failure;
    const url = path ? this.#page.url + path : null;
    return new LastgoodError(detail, { code, url, dataset, status, retryAfterMs, reading });
  }
}

function json(name: string, shape: Shape): Wanted {
  const { migrate, schema, numbers = 'number' } = shape;
  const own = migrate !== undefined || schema !== undefined || numbers !== 'number';
  return { name, validate: shape.validate ?? true, own, ...versions(shape) };
}

/** What is said of the copy is what is known of it when it is looked at. */
function handOut(reading: Reading, copy: { readonly place?: Reading['cachedIn'] }): Reading {
  return Object.defineProperty(reading, 'cachedIn', { enumerable: true, get: () => copy.place ?? null });
}
