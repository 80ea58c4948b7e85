/**
 * The entry `lastgood/react`.
 *
 * @module
 */

import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import type { LastgoodError } from './errors.js';
import { fallbackReading } from './fallback.js';
import { ageNow, ticking } from './react/age.js';
import { IDLE, SERVER, watched, type Options, type State, type Value, type Watched, type What } from './react/watched.js';
import type {
  AnyFeed,
  ArtifactReading,
  DataOf,
  Datasets,
  FallbackReading,
  Feed,
  Reading,
  Shape,
  UndeclaredFeed,
  WatchOptions,
} from './types.js';

/**
 * A feed, or the promise of one: `const feed = open('/data/')` beside the components is enough. With `null` nothing is
 * read yet. Must be the same object in every render.
 */
export type FeedSource<D extends Datasets = Datasets> = Feed<D> | PromiseLike<Feed<D>> | null;

/** A feed that takes any name, likewise. */
type UndeclaredSource = UndeclaredFeed | PromiseLike<UndeclaredFeed> | null;

/** Options of each hook; they may be written as a literal in the component. */
export interface HookOptions extends Omit<WatchOptions, keyof Shape | 'signal' | 'onError' | 'onChecking'> {
  /**
   * Suspends until there is something to show, and throws to the error boundary when there is nothing. On a server, what
   * the `Suspense` around it shows is sent. @default false
   */
  suspense?: boolean;
  /**
   * Shows the data of the name before until there is some of the new one, marked with `isPreviousData`. @default false
   */
  keepPreviousData?: boolean;
  /**
   * How long, in milliseconds, the data is kept for the next component after the last one has gone. Of several components, the longest
   * counts. @default 300000 (5 minutes)
   */
  gcTime?: number;
}

/**
 * Options of {@link useDataset}. What the page knows of the dataset's shape belongs to `open(url, { datasets })`, so that
 * all components agree about it.
 */
export interface UseDatasetOptions<T = unknown> extends HookOptions {
  /**
   * Shown as long as there is nothing else, also by a server that renders the page: a value, or the reading of it that the server has
   * made, with its age and generation. That of the first render counts.
   */
  fallback?: T | Reading<T>;
}

/** Options of {@link useSnapshot}. */
export type UseSnapshotOptions = HookOptions;

/** Options of {@link useArtifact}. */
export type UseArtifactOptions = HookOptions;

interface Common {
  /** Whether a look at the feed is under way. */
  readonly isFetching: boolean;
  /** Whether this is the data of the name before, shown because of `keepPreviousData`. */
  readonly isPreviousData: boolean;
  /** Looks at the feed now, for everything that is watched. Resolves when that is done, and never rejects. */
  readonly refresh: () => Promise<void>;
}

interface Success extends Common {
  readonly status: 'success';
  /** Why the last look ended without a reading; `null` when it did not. */
  readonly error: LastgoodError | null;
}

/** There is something to show. */
export interface DatasetSuccess<T, R = Reading<T>> extends Success {
  /** The same object until the dataset changes. */
  readonly data: T;
  /** Where `data` comes from, how old it is, and why. With a `fallback`, its `source` may be `initial`. */
  readonly reading: R;
  /** Whether `data` is what a manifest checked just now names; the same as `reading.fresh`. */
  readonly isFresh: boolean;
}

/** There is something to show: all of one generation. */
export interface SnapshotSuccess<T> extends Success {
  /** The values by name; each the same object until its dataset changes. */
  readonly data: Readonly<T>;
  /** Where they come from, how old they are, and why, by name. */
  readonly readings: { readonly [K in keyof T]: Reading<T[K]> };
  /** Whether all of them are what a manifest checked just now names. */
  readonly isFresh: boolean;
}

/** There is something to show: a file. */
export interface ArtifactSuccess extends DatasetSuccess<Blob, ArtifactReading> {
  /**
   * An object URL of `data`, for `src` or `href`: the same until the artifact changes. It is revoked when another one is shown, and
   * when the data is dropped after the last component has gone.
   */
  readonly url: string;
}

/** Nothing to show. `R` is the member that would hold the reading or the readings. */
type Nothing<R extends string> = Common & {
  readonly data: undefined;
  readonly url?: undefined;
  readonly isFresh: false;
  readonly isPreviousData: false;
} & { readonly [K in R]: null };

/** The first look has not ended. */
export type Pending<R extends string> = Nothing<R> & { readonly status: 'pending'; readonly error: null };

/**
 * There is nothing to show, and why. The watch goes on. An error with the code `too-old` carries what was too old as
 * `reading`.
 */
export type Failed<R extends string> = Nothing<R> & { readonly status: 'error'; readonly error: LastgoodError };

/** What {@link useDataset} returns: the same object until something in it changes. */
export type DatasetResult<T, R = Reading<T>> = DatasetSuccess<T, R> | Pending<'reading'> | Failed<'reading'>;

/** What {@link useSnapshot} returns: the same object until something in it changes. */
export type SnapshotResult<T> = SnapshotSuccess<T> | Pending<'readings'> | Failed<'readings'>;

/** What {@link useArtifact} returns: the same object until something in it changes. */
export type ArtifactResult = ArtifactSuccess | Pending<'reading'> | Failed<'reading'>;

/** What is shown when the page brings a fallback. */
type Shown<T> = Reading<T> | FallbackReading<T>;
/** Options without a fallback, with one, and with either. */
type Plain = HookOptions & { fallback?: never };
type WithInitial<T> = HookOptions & { fallback: T | Reading<T> };
type Suspending = { suspense: true };

/**
 * Watches a dataset as long as the component is mounted. All components that ask for the same share one watch, which
 * goes on for five seconds after the last one has gone; what it has found is kept for `gcTime`, so that a component that
 * comes back has data in its first render. So has one whose dataset was read ahead by `feed.prefetch`.
 *
 * Renders on a server without touching anything of a page: the result is the fallback, or pending. The page starts with
 * the same, so hydration agrees.
 *
 * @param name the dataset; with `null` nothing is read yet
 */
export function useDataset<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  name: N | null,
  options: Plain & Suspending,
): DatasetSuccess<DataOf<D, N>>;
export function useDataset<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  name: N | null,
  options: WithInitial<NoInfer<DataOf<D, N>>>,
): DatasetSuccess<DataOf<D, N>, Shown<DataOf<D, N>>>;
export function useDataset<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  name: N | null,
  options?: Plain,
): DatasetResult<DataOf<D, N>>;
export function useDataset<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  name: N | null,
  options: UseDatasetOptions<NoInfer<DataOf<D, N>>>,
): DatasetResult<DataOf<D, N>, Shown<DataOf<D, N>>>;
export function useDataset<T>(
  feed: UndeclaredSource,
  name: string | null,
  options: Plain & Suspending,
): DatasetSuccess<T>;
export function useDataset<T>(
  feed: UndeclaredSource,
  name: string | null,
  options: WithInitial<NoInfer<T>>,
): DatasetSuccess<T, Shown<T>>;
export function useDataset<T = unknown>(
  feed: UndeclaredSource,
  name: string | null,
  options?: Plain,
): DatasetResult<T>;
export function useDataset<T = unknown>(
  feed: UndeclaredSource,
  name: string | null,
  options: UseDatasetOptions<NoInfer<T>>,
): DatasetResult<T, Shown<T>>;
export function useDataset(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  { fallback, suspense = false, keepPreviousData = false, ...options }: UseDatasetOptions = {},
): DatasetResult<unknown, Shown<unknown>> {
  const watch = useWatched<Reading>(feed, name, options);
  // Written as a literal, it would be another one in every render.
  const initial = useMemo(() => fallback, [watch]);
  watch.bring(initial);
  return useResult(watch, suspense, keepPreviousData, ({ value, error }, common) => {
    const [reason, detail] = error ? [error.code, error.message] : ['pending' as const, null];
    const brought = initial === undefined ? null : fallbackReading(name ?? '', initial, reason, detail);
    const reading = value ?? brought;
    if (!reading) return { ...nothing(error), ...common, reading: null };
    return { status: 'success', data: reading.data, reading, isFresh: reading.fresh, error, ...common };
  });
}

/**
 * Watches several datasets that belong together: what it returns is always of one generation. Everything else is as
 * with {@link useDataset}.
 *
 * @param names the datasets; with `null` nothing is read yet
 */
export function useSnapshot<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  names: readonly N[] | null,
  options: UseSnapshotOptions & Suspending,
): SnapshotSuccess<{ [K in N]: DataOf<D, K> }>;
export function useSnapshot<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  names: readonly N[] | null,
  options?: UseSnapshotOptions,
): SnapshotResult<{ [K in N]: DataOf<D, K> }>;
export function useSnapshot<T extends Record<string, unknown>>(
  feed: UndeclaredSource,
  names: readonly (keyof T & string)[] | null,
  options: UseSnapshotOptions & Suspending,
): SnapshotSuccess<T>;
export function useSnapshot<T extends Record<string, unknown> = Record<string, unknown>>(
  feed: UndeclaredSource,
  names: readonly (keyof T & string)[] | null,
  options?: UseSnapshotOptions,
): SnapshotResult<T>;
export function useSnapshot(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  names: readonly string[] | null,
  { suspense = false, keepPreviousData = false, ...options }: UseSnapshotOptions = {},
): SnapshotResult<Record<string, unknown>> {
  const watch = useWatched<Record<string, Reading>>(feed, names, options);
  return useResult(watch, suspense, keepPreviousData, ({ value: readings, error }, common) => {
    if (!readings) return { ...nothing(error), ...common, readings: null };
    const data = Object.fromEntries(Object.entries(readings).map(([name, reading]) => [name, reading.data]));
    const isFresh = Object.values(readings).every(({ fresh }) => fresh);
    return { status: 'success', data, readings, isFresh, error, ...common };
  });
}

/**
 * Watches an artifact: a dataset that is not JSON, such as a chart as PNG. Everything else is as with
 * {@link useDataset}.
 *
 * @param name the artifact; with `null` nothing is read yet
 */
export function useArtifact(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  options: UseArtifactOptions & Suspending,
): ArtifactSuccess;
export function useArtifact(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  options?: UseArtifactOptions,
): ArtifactResult;
export function useArtifact(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  { suspense = false, keepPreviousData = false, ...options }: UseArtifactOptions = {},
): ArtifactResult {
  const watch = useWatched<ArtifactReading>(feed, name === null ? null : { artifact: name }, options);
  return useResult(watch, suspense, keepPreviousData, ({ value: reading, error, url }, common) => {
    if (!reading) return { ...nothing(error), ...common, reading: null };
    const { data, fresh: isFresh } = reading;
    return { status: 'success', data, url: url ?? '', reading, isFresh, error, ...common };
  });
}

/**
 * The age of a reading, which ticks: milliseconds since it was published, by the server's clock as far as it is known. It begins with
 * what the reading says, also on a server, and is `null` without one.
 *
 * @param everyMs how often the component is rendered for it; by default every second in the first minute, then every minute
 */
export function useAge(reading: Reading | FallbackReading | null | undefined, everyMs?: number): number | null {
  const age = reading?.ageMs ?? null;
  const [subscribe, now] = useMemo(() => ticking(() => ageNow(reading), everyMs), [reading, everyMs]);
  return useSyncExternalStore(subscribe, now, () => age);
}

function useWatched<V extends Value>(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  what: What | null,
  options: Options & { readonly gcTime?: number },
): Watched<V> {
  return feed === null || what === null ? IDLE : watched<V>(feed, what, options);
}

interface AnyResult {
  readonly status: string;
  readonly isFresh: boolean;
  readonly error: LastgoodError | null;
}

/** What a hook returns: what it makes of the state of its watch, until that changes. */
function useResult<V extends Value, R extends AnyResult>(
  watch: Watched<V>,
  suspense: boolean,
  keepPreviousData: boolean,
  make: (state: State<V>, common: Common & { readonly isPreviousData: false }) => R,
): R {
  const state = useSyncExternalStore(watch.subscribe, watch.state, watch.serverState);
  const previous = useRef<R | null>(null);
  const result = useMemo((): R => {
    const { isFetching } = state;
    const made = make(state, { isFetching, isPreviousData: false, refresh: watch.refresh });
    if (!keepPreviousData || made.status !== 'pending' || !previous.current) return made;
    return { ...previous.current, isFetching, isFresh: false, isPreviousData: true, refresh: watch.refresh };
  }, [watch, state, keepPreviousData]);
  useEffect(() => {
    if (result.status === 'success') previous.current = result;
  }, [result]);
  if (suspense) suspendWithout(watch, state, result);
  return result;
}

function nothing(error: LastgoodError | null) {
  const none = { data: undefined, isFresh: false } as const;
  return error ? ({ ...none, status: 'error', error } as const) : ({ ...none, status: 'pending', error } as const);
}

/** Leaves the component to React unless there is something to show. */
function suspendWithout(watch: Watched, state: State, { status, error }: AnyResult): void {
  if (status === 'success') return;
  if (error) throw error;
  // React sends what the `Suspense` around shows, and renders the component in the page.
  if (state === SERVER) throw new Error('lastgood reads in the page, not on a server');
  throw watch.settled();
}
