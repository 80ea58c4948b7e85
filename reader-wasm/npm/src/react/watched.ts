import { LastgoodError } from '../errors.js';
import type { AnyFeed, FallbackReading, Feed, Reading, WatchOptions } from '../types.js';
import { MAX_TIMER_MS } from '../watch/clock.js';
import { noteTime } from './age.js';

/** What is watched: a dataset, several that belong together, or an artifact. */
export type What = string | readonly string[] | { readonly artifact: string };

/** The reading of a dataset or an artifact, or those of several datasets by name. */
export type Value = Reading | { readonly [dataset: string]: Reading };

/** What is known of what is watched. */
export interface State<V extends Value = Value> {
  readonly value: V | null;
  /** Why the last look ended without a reading. */
  readonly error: LastgoodError | null;
  /** Whether a look is under way. */
  readonly isFetching: boolean;
  /** The object URL of an artifact. */
  readonly url: string | null;
}

/** The options that make one watch different from another: texts and numbers. */
export type Options = Omit<WatchOptions, 'signal' | 'onError' | 'onChecking'>;

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
  /** Takes a value that the page has brought along, before the watch begins. */
  readonly bring: (fallback: unknown) => void;
}

/** Nothing is known yet, and the first look is about to begin. */
const PENDING: State<never> = { value: null, error: null, isFetching: true, url: null };
/** Equal, but told apart: on a server nothing will ever be known. */
export const SERVER: State<never> = { ...PENDING };
const NOTHING: State<never> = { ...PENDING, isFetching: false };

/** What is watched when there is nothing to watch yet. */
export const IDLE: Watched<never> = {
  subscribe: () => () => {},
  state: () => NOTHING,
  serverState: () => NOTHING,
  settled: () => new Promise(() => {}),
  refresh: async () => {},
  bring: () => {},
};

/** By feed, or by the promise of one as long as the page has only that. */
const all = new WeakMap<object, Map<string, SharedWatch>>();

/** The one watch of this with these options. Creating it does nothing yet. Of several `gcTime`, the longest counts. */
export function watched<V extends Value>(
  feed: AnyFeed | PromiseLike<AnyFeed>,
  what: What,
  { gcTime = GC_MS, ...options }: Options & { readonly gcTime?: number },
): Watched<V> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const key = JSON.stringify([what, given.sort(([one], [other]) => (one < other ? -1 : 1))]);
  const ofFeed = all.get(feed) ?? new Map<string, SharedWatch>();
  all.set(feed, ofFeed);
  const watch = ofFeed.get(key) ?? new SharedWatch(feed, what, Object.fromEntries(given));
  ofFeed.set(key, watch);
  watch.keepFor(gcTime);
  // The value is of the kind that `what` is of.
  return watch as unknown as Watched<V>;
}

/**
 * How long a watch that nobody uses goes on: for components that are mounted again at once, or after the next page of
 * an app.
 */
const LINGER_MS = 5000;
/** How long what it has found is kept after that. */
const GC_MS = 300_000;

class SharedWatch implements Watched {
  readonly #feed: AnyFeed | PromiseLike<AnyFeed>;
  readonly #what: What;
  readonly #options: Options;
  readonly #listeners = new Set<() => void>();
  #gcTime = 0;
  #state: State = PENDING;
  #brought: unknown;
  #waiting: PromiseWithResolvers | null = null;
  /** Ends the watch that is under way. */
  #end: (() => void) | null = null;
  /** Whether a look is under way; `null` before the watch has said so. */
  #checking: boolean | null = null;
  /** Until the watch ends, and then until what it has found is dropped. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #droppedAt = -Infinity;

  constructor(feed: AnyFeed | PromiseLike<AnyFeed>, what: What, options: Options) {
    this.#feed = feed;
    this.#what = what;
    this.#options = options;
  }

  keepFor(gcTime: number): void {
    this.#gcTime = Math.max(this.#gcTime, gcTime);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#begin();
    return () => {
      this.#listeners.delete(listener);
      this.#lingerIfUnused();
    };
  };

  readonly state = (): State => {
    if (!this.#end) this.#recall();
    return this.#state;
  };

  readonly serverState = (): State => SERVER;

  readonly bring = (fallback: unknown): void => {
    this.#brought ??= fallback;
  };

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
    this.#recall();
    const ending = new AbortController();
    this.#end = () => ending.abort();
    void this.#watch(ending.signal);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const become = (known: Partial<State>): void => {
      if (!signal.aborted) this.#become(known);
    };
    try {
      const feed = (await this.#feed) as Feed;
      if (signal.aborted) return;
      const onValue = (value: Value | FallbackReading): void => {
        // What the page has brought is the component's own.
        if (value['source'] !== 'initial') become({ value: value as Value, error: null });
      };
      const onError = (error: LastgoodError): void => {
        const { value } = this.#state;
        become({ value: value && this.#stands(feed, value, error) ? value : null, error });
      };
      const onChecking = (checking: boolean): void => {
        this.#checking = checking;
        become({});
      };
      const fallback = this.#brought;
      const options = { ...this.#options, signal, onError, onChecking };
      const what = this.#what;
      if (typeof what === 'string') feed.watch(what, onValue, { fallback, ...options });
      else if ('artifact' in what) feed.watchArtifact(what.artifact, onValue, options);
      else feed.watch(what, onValue, options);
    } catch (thrown) {
      become({ value: null, error: thrown instanceof LastgoodError ? thrown : notOpened(thrown) });
    }
  }

  /** While nobody watches: what is known from before, as of now. */
  #recall(): void {
    const feed = resolved(this.#feed);
    if (!feed) return;
    const value = judged(feed, this.#state.value) ?? this.#held(feed);
    if (value && value !== this.#state.value) this.#change({ ...PENDING, value, url: this.#urlOf(value) });
  }

  /** What was read by others, such as by `prefetch`; not what was dropped here. */
  #held(feed: Feed): Value | null {
    if (isArtifact(this.#what)) return null;
    const held: Value | null = typeof this.#what === 'string' ? feed.held(this.#what) : feed.held(this.#what);
    const fits = held && checkedAt(held) > this.#droppedAt && untilTooOld(held, this.#options.maxAge) > 0;
    return fits ? held : null;
  }

  /** Whether a value may still be shown after an error: not what is too old, or was purged. */
  #stands(feed: Feed, value: Value, error: LastgoodError): boolean {
    // What stands was told once more before the error, as not fresh.
    if (error.code === 'too-old' || readingsOf(value).every(({ fresh }) => fresh)) return false;
    const isGone = error.code === 'not-found' || error.status === 404;
    return !isGone || isArtifact(this.#what) || this.#held(feed) !== null;
  }

  #become(known: Partial<State>): void {
    const state = { ...this.#state, ...known };
    const { value, error } = state;
    const isPending = value === null ? error === null : readingsOf(value).some(({ reason }) => reason === 'checking');
    const isFetching = this.#checking ?? isPending;
    const before = this.#state;
    if (value === before.value && error === before.error && isFetching === before.isFetching) return;
    this.#change({ ...state, isFetching, url: this.#urlOf(value) });
    if (value ?? error) this.#waiting?.resolve();
    for (const listener of [...this.#listeners]) listener();
    this.#lingerIfUnused();
  }

  #change(state: State): void {
    const { url } = this.#state;
    this.#state = state;
    if (state.value) readingsOf(state.value).forEach(noteTime);
    // Not before the components that show it have been rendered with the next one.
    if (url !== null && url !== state.url) setTimeout(() => URL.revokeObjectURL(url));
  }

  /** Not the reading's own, which others may have, and revoke. */
  #urlOf(value: Value | null): string | null {
    if (value === null || !isArtifact(this.#what)) return null;
    const { value: before, url } = this.#state;
    return before?.['data'] === value['data'] ? url : URL.createObjectURL(value['data'] as Blob);
  }

  /**
   * Not at once: React unmounts and mounts again in strict mode, and a component that waited is mounted a little later.
   */
  #lingerIfUnused(): void {
    if (this.#listeners.size > 0) return;
    this.#timer ??= setTimeout(() => this.#rest(), LINGER_MS);
  }

  /** Ends the watch. What it has found is kept for a while. */
  #rest(): void {
    this.#end?.();
    this.#end = null;
    this.#checking = null;
    this.#waiting = null;
    const { value, url } = this.#state;
    const keptMs = value ? Math.min(this.#gcTime - LINGER_MS, untilTooOld(value, this.#options.maxAge)) : 0;
    if (keptMs > 0) {
      this.#change({ ...PENDING, value, url });
      this.#timer = setTimeout(() => this.#drop(), Math.min(keptMs, MAX_TIMER_MS));
      // Node, as in tests of components, would not end before.
      (this.#timer as { unref?: () => void }).unref?.();
    } else {
      this.#drop();
    }
  }

  #drop(): void {
    this.#timer = undefined;
    if (this.#state.value) this.#droppedAt = Date.now();
    this.#change(PENDING);
  }
}

/** A feed that is there already. As React does it, `open` notes in its promise what that has become. */
function resolved(feed: AnyFeed | PromiseLike<AnyFeed>): Feed | null {
  if (!('then' in feed)) return feed as Feed;
  return (feed as { readonly value?: Feed }).value ?? null;
}

function isArtifact(what: What): what is { readonly artifact: string } {
  return typeof what !== 'string' && 'artifact' in what;
}

/** The same value as of now: the same object unless something in it is to be told. */
function judged(feed: Feed, value: Value | null): Value | null {
  if (value === null) return null;
  if (isReading(value)) return feed.judge(value);
  const now = Object.entries(value).map(([name, reading]) => [name, feed.judge(reading)] as const);
  return now.every(([name, reading]) => reading === value[name]) ? value : Object.fromEntries(now);
}

/** For how long a value may still be shown. */
function untilTooOld(value: Value, maxAge = Infinity): number {
  return checkedAt(value) + maxAge - Date.now();
}

function checkedAt(value: Value): number {
  return Math.min(...readingsOf(value).map(({ checkedAt }) => Date.parse(checkedAt)));
}

function readingsOf(value: Value): readonly Reading[] {
  return isReading(value) ? [value] : Object.values(value);
}

function isReading(value: Value): value is Reading {
  return typeof value['dataset'] === 'string';
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
