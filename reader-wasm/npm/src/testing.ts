/**
 * The entry `lastgood/testing`: a feed in memory that a test drives. It is read by the reader itself, so a component meets in
 * a test what it meets in a page.
 *
 * @module
 */

import { open } from './inline.js';
import { FeedInMemory, type Publication } from './testing/memory.js';
import type { Datasets, Declared, Feed, OpenOptions } from './types.js';

/** Options of {@link testFeed}: those of `open`, where `cache` is `none` unless you say otherwise. */
export type TestFeedOptions = Omit<OpenOptions, 'fetch' | 'wasm' | 'validator' | 'datasets'> & { datasets?: Datasets };

/** What is published beside the values. */
export interface PublishOptions {
  /** What the publisher says of each dataset (`--meta`). */
  meta?: unknown;
  /** When the datasets cease to be current (`--expires-in`). */
  expiresAt?: Date;
  /** When they were published, for an age. @default now */
  publishedAt?: Date;
}

/** How a server is away: not there, answering nothing, or answering with a status. */
export type Absence = 'offline' | 'hangs' | number;

/**
 * What a test does to a feed. Each resolves when everything that watches the feed has been told of it; with a server that hangs, at once.
 */
export interface TestControls<T extends object = Record<string, unknown>> {
  /** Publishes the values, all in one new generation. Datasets that are not named stay as they are. */
  publish(values: Partial<T>, options?: PublishOptions): Promise<void>;
  /** Publishes a file that is not JSON. */
  publishArtifact(name: string, content: string | Uint8Array, ext: string): Promise<void>;
  /** Takes datasets out of the feed. */
  remove(...names: (keyof T & string)[]): Promise<void>;
  /**
   * Alters the bytes of datasets or artifacts, of the next publications too, as a broken upload does. What was read before stays as it
   * was: nobody downloads it again.
   */
  damage(...names: string[]): Promise<void>;
  /** Takes all damage back. */
  repair(): Promise<void>;
  /** Begins a commit that writes these datasets, without names all, and does not end. */
  lock(...names: (keyof T & string)[]): Promise<void>;
  /** Ends it. */
  unlock(): Promise<void>;
  /** Takes the server away. @default 'offline' */
  goAway(how?: Absence): Promise<void>;
  /** Brings it back. */
  comeBack(): Promise<void>;
  /** Opens the same feed once more, as a later visit does: with `cache: 'auto'`, it has the copies that this one has kept. */
  visit(options?: TestFeedOptions): Promise<Feed>;
  /** The paths that were asked for, relative to the feed; empty it to count from now. */
  readonly requests: string[];
}

/** A feed that a test drives. Close it when the test is over, or its watches go on. */
export type TestFeed<T extends object = never> = ([T] extends [never] ? Feed : Feed<Declared<T>>) &
  TestControls<[T] extends [never] ? Record<string, unknown> : T>;

/**
 * Makes a feed in memory that has these datasets, and opens it. With a type argument, it takes no other names, as
 * `open<{ series: Row[] }>()` does.
 */
export function testFeed(values?: Record<string, unknown>, options?: TestFeedOptions): Promise<TestFeed>;
export function testFeed<T extends object>(values?: Partial<T>, options?: TestFeedOptions): Promise<TestFeed<T>>;
export async function testFeed(values: object = {}, options: TestFeedOptions = {}): Promise<unknown> {
  const memory = new FeedInMemory();
  await memory.publish(jsons(values));
  const visit = (options: TestFeedOptions = {}): Promise<Feed> =>
    open(memory.url, { cache: 'none', minIntervalMs: 1, ...options, fetch: memory.fetch as typeof fetch });
  const feed = await visit(options);
  /** Does something to the feed, and lets everything that watches it look. */
  const then = <A extends unknown[]>(change: (...given: A) => unknown) => async (...given: A): Promise<void> => {
    await change(...given);
    const looked = feed.refresh();
    if (memory.absence === 'hangs') looked.catch(() => {});
    else await looked;
  };
  const controls: TestControls = {
    publish: then((values: object, options?: PublishOptions) => memory.publish(jsons(values), options)),
    publishArtifact: then((name: string, content: string | Uint8Array, ext: string) =>
      memory.publish({ [name]: { content, ext } }),
    ),
    remove: then((...names: string[]) => memory.remove(names)),
    damage: then((...names: string[]) => memory.damage(names)),
    repair: then(() => memory.repair()),
    lock: then((...names: string[]) => memory.lock(names)),
    unlock: then(() => memory.unlock()),
    goAway: then((how: Absence = 'offline') => (memory.absence = how)),
    comeBack: then(() => (memory.absence = null)),
    visit,
    requests: memory.requests,
  };
  return Object.assign(feed, controls);
}

function jsons(values: object): Publication {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { content: JSON.stringify(value), ext: 'json' }]),
  );
}
