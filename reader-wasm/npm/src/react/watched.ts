import { LastgoodError } from '../errors.js';
import type { AnyFeed, Feed, Reading, WatchOptions } from '../types.js';

/** The name of a dataset, or those of several that belong together. */
export type What = string | readonly string[];

/** The reading of a dataset, or those of several by name. */
export type Value = Reading | { readonly [dataset: string]: Reading };

/** What is known of what is watched. */
export interface State<V extends Value = Value> {
  readonly value: V | null;
  /** Why the last look ended without a reading. */
  readonly error: LastgoodError | null;
}

/** The options that make one watch different from another. */
export type Options = Pick<WatchOptions, 'lock' | 'lockWaitMs' | 'timeoutMs' | 'maxAge' | 'intervalMs'>;

/** A store for `useSyncExternalStore`. */
export interface Watched<V extends Value = Value> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly state: () => State<V>;
  /** On a server, and in the first render of a page that a server has rendered. */
  readonly serverState: () => State<V>;
  /**
   * Resolves when there is a reading or an error. Begins to watch, for a component that waits for it before it is
   * mounted.
   */
  readonly settled: () => Promise<void>;
  readonly refresh: () => Promise<void>;
}

/** Nothing is known yet. */
export const PENDING: State<never> = { value: null, error: null };
/** Equal, but told apart: on a server nothing will ever be known. */
export const SERVER: State<never> = { value: null, error: null };

/** What is watched when there is nothing to watch yet. */
export const IDLE: Watched<never> = {
  subscribe: () => () => {},
  state: () => PENDING,
  serverState: () => SERVER,
  settled: () => new Promise(() => {}),
  refresh: async () => {},
};

/** By feed, or by the promise of one as long as the page has only that. */
const all = new WeakMap<object, Map<string, Watched>>();

/** The one watch of this with these options. Creating it does nothing yet. */
export function watched(feed: AnyFeed | PromiseLike<AnyFeed>, what: string, options: Options): Watched<Reading>;
export function watched(
  feed: AnyFeed | PromiseLike<AnyFeed>,
  what: readonly string[],
  options: Options,
): Watched<{ readonly [dataset: string]: Reading }>;
export function watched(feed: AnyFeed | PromiseLike<AnyFeed>, what: What, options: Options): Watched<never> {
  const { lock, lockWaitMs, timeoutMs, maxAge, intervalMs } = options;
  const key = JSON.stringify([what, lock, lockWaitMs, timeoutMs, maxAge, intervalMs]);
  const ofFeed = all.get(feed) ?? new Map<string, Watched>();
  all.set(feed, ofFeed);
  const watch = ofFeed.get(key) ?? new SharedWatch(feed, what, options);
  ofFeed.set(key, watch);
  // The value is of the kind that `what` is of.
  return watch as Watched<never>;
}

/**
 * How long a watch that nobody uses goes on: for components that are mounted again at once, or after the next page of
 * an app.
 */
const LINGER_MS = 5000;

class SharedWatch implements Watched {
  readonly #feed: AnyFeed | PromiseLike<AnyFeed>;
  readonly #what: What;
  readonly #options: Options;
  readonly #listeners = new Set<() => void>();
  #state: State = PENDING;
  #waiting: PromiseWithResolvers | null = null;
  /** Ends the watch that is under way. */
  #end: (() => void) | null = null;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(feed: AnyFeed | PromiseLike<AnyFeed>, what: What, options: Options) {
    this.#feed = feed;
    this.#what = what;
    this.#options = options;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    this.#begin();
    return () => {
      this.#listeners.delete(listener);
      this.#lingerIfUnused();
    };
  };

  readonly state = (): State => this.#state;

  readonly serverState = (): State => SERVER;

  readonly settled = (): Promise<void> => {
    this.#waiting ??= withResolvers();
    this.#begin();
    return this.#waiting.promise;
  };

  readonly refresh = async (): Promise<void> => {
    try {
      await (await this.#feed).refresh();
    } catch {
      // Whoever watches is told why there is no reading.
    }
  };

  #begin(): void {
    if (this.#end) return;
    const ending = new AbortController();
    this.#end = () => ending.abort();
    void this.#watch(ending.signal);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    try {
      const feed = (await this.#feed) as Feed;
      if (signal.aborted) return;
      const onValue = (value: Value): void => this.#become(signal, { value, error: null });
      const onError = (error: LastgoodError): void => {
        // The last value stays, unless the page has said that it must not.
        const value = error.code === 'too-old' ? null : this.#state.value;
        this.#become(signal, { value, error });
      };
      const options = { ...this.#options, signal, onError };
      if (typeof this.#what === 'string') feed.watch(this.#what, onValue, options);
      else feed.watch(this.#what, onValue, options);
    } catch (thrown) {
      this.#become(signal, { value: null, error: thrown instanceof LastgoodError ? thrown : notOpened(thrown) });
    }
  }

  #become(signal: AbortSignal, state: State): void {
    if (signal.aborted) return;
    this.#state = state;
    this.#waiting?.resolve();
    for (const listener of [...this.#listeners]) listener();
    this.#lingerIfUnused();
  }

  /**
   * Not at once: React unmounts and mounts again in strict mode, and a component that waited is mounted a little later.
   */
  #lingerIfUnused(): void {
    if (this.#listeners.size > 0) return;
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      this.#end?.();
      this.#end = null;
      this.#waiting = null;
      // What is not watched is not known: it would still call itself fresh.
      this.#state = PENDING;
    }, LINGER_MS);
  }
}

/** A page that loads lastgood when it needs it has a promise that can be rejected with anything. */
function notOpened(cause: unknown): LastgoodError {
  return new LastgoodError(`the feed could not be opened: ${cause}`, { code: 'wasm', cause });
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}
