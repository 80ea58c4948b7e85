/**
 * The entry `lastgood/react`.
 *
 * @module
 */

import { useMemo, useSyncExternalStore } from 'react';

import type { LastgoodError } from './errors.js';
import { fallbackReading } from './fallback.js';
import { IDLE, SERVER, watched, type State, type Watched } from './react/watched.js';
import type { AnyFeed, DataOf, Datasets, FallbackReading, Feed, Reading, Shape, WatchOptions } from './types.js';

/**
 * A feed, or the promise of one: `const feed = open('/data/')` beside the components is enough. With `null` nothing is
 * read yet. Must be the same object in every render.
 */
export type FeedSource<D extends Datasets = Datasets> = Feed<D> | PromiseLike<Feed<D>> | null;

/**
 * Options of {@link useDataset}; they may be written as a literal in the component. What the page knows of the
 * dataset's shape belongs to `open(url, { datasets })`, so that all components agree about it.
 */
export interface UseDatasetOptions<T = unknown> extends Omit<WatchOptions<T>, keyof Shape | 'signal' | 'onError'> {
  /**
   * Shown as long as there is nothing else, also by a server that renders the page. That of the first render counts.
   */
  fallback?: T;
  /**
   * Suspends until there is something to show, and throws to the error boundary when there is nothing. On a server,
   * `fallback` is shown or, without one, what the `Suspense` around it shows. @default false
   */
  suspense?: boolean;
}

/** Options of {@link useSnapshot}. */
export type UseSnapshotOptions = Omit<UseDatasetOptions, 'fallback'>;

interface Common {
  /** Looks at the feed now, for everything that is watched. Resolves when that is done, and never rejects. */
  readonly refresh: () => Promise<void>;
}

/** There is something to show. */
export interface DatasetSuccess<T> extends Common {
  readonly status: 'success';
  /** The same object until the dataset changes. */
  readonly data: T;
  /** Where `data` comes from, how old it is, and why. Its `source` is `initial` for the fallback. */
  readonly reading: Reading<T> | FallbackReading<T>;
  /** Whether `data` is what a manifest checked just now names; the same as `reading.fresh`. */
  readonly isFresh: boolean;
  /** Why the last look ended without a reading; `null` when it did not. */
  readonly error: LastgoodError | null;
}

/** There is something to show: all of one generation. */
export interface SnapshotSuccess<T> extends Common {
  readonly status: 'success';
  /** The values by name; each the same object until its dataset changes. */
  readonly data: Readonly<T>;
  /** Where they come from, how old they are, and why, by name. */
  readonly readings: { readonly [K in keyof T]: Reading<T[K]> };
  /** Whether all of them are what a manifest checked just now names. */
  readonly isFresh: boolean;
  /** Why the last look ended without readings; `null` when it did not. */
  readonly error: LastgoodError | null;
}

/** Nothing to show. `R` is the member that would hold the reading or the readings. */
type Nothing<R extends string> = Common & { readonly data: undefined; readonly isFresh: false } & {
  readonly [K in R]: null;
};

/** The first look has not ended. */
export type Pending<R extends string> = Nothing<R> & { readonly status: 'pending'; readonly error: null };

/**
 * There is nothing to show, and why. The watch goes on. An error with the code `too-old` carries what was too old as
 * `reading`.
 */
export type Failed<R extends string> = Nothing<R> & { readonly status: 'error'; readonly error: LastgoodError };

/** What {@link useDataset} returns: the same object until something in it changes. */
export type DatasetResult<T> = DatasetSuccess<T> | Pending<'reading'> | Failed<'reading'>;

/** What {@link useSnapshot} returns: the same object until something in it changes. */
export type SnapshotResult<T> = SnapshotSuccess<T> | Pending<'readings'> | Failed<'readings'>;

/** With one of these there is always something to show. */
type Always<T> = { readonly suspense: true } | { readonly fallback: T };

/**
 * Watches a dataset as long as the component is mounted. All components that ask for the same share one watch, which
 * goes on for five seconds after the last one has gone, so that one that comes back has its data at once.
 *
 * Renders on a server without touching anything of a page: the result is the fallback, or pending. The page starts with
 * the same, so hydration agrees.
 *
 * @param name the dataset; with `null` nothing is read yet
 */
export function useDataset<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  name: N | null,
  options: UseDatasetOptions<NoInfer<DataOf<D, N>>> & Always<NoInfer<DataOf<D, N>>>,
): DatasetSuccess<DataOf<D, N>>;
export function useDataset<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  name: N | null,
  options?: UseDatasetOptions<NoInfer<DataOf<D, N>>>,
): DatasetResult<DataOf<D, N>>;
export function useDataset<T>(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  options: UseDatasetOptions<NoInfer<T>> & Always<NoInfer<T>>,
): DatasetSuccess<T>;
export function useDataset<T = unknown>(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  options?: UseDatasetOptions<NoInfer<T>>,
): DatasetResult<T>;
export function useDataset(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  name: string | null,
  { fallback, suspense = false, ...options }: UseDatasetOptions = {},
): DatasetResult<unknown> {
  const watch: Watched<Reading> = feed === null || name === null ? IDLE : watched(feed, name, options);
  // Written as a literal, it would be another one in every render.
  const initial = useMemo(() => fallback, [watch]);
  const state = useSyncExternalStore(watch.subscribe, watch.state, watch.serverState);
  const result = useMemo((): DatasetResult<unknown> => {
    const { value, error } = state;
    const { refresh } = watch;
    const [reason, detail] = error ? [error.code, error.message] : ['pending' as const, null];
    const brought = initial === undefined ? null : fallbackReading(name ?? '', initial, reason, detail);
    const reading = value ?? brought;
    if (reading) return { status: 'success', data: reading.data, reading, isFresh: reading.fresh, error, refresh };
    return { ...nothing(error), reading: null, refresh };
  }, [watch, state, initial]);
  if (suspense) suspendWithout(watch, state, result);
  return result;
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
  options: UseSnapshotOptions & { readonly suspense: true },
): SnapshotSuccess<{ [K in N]: DataOf<D, K> }>;
export function useSnapshot<D extends Datasets, N extends keyof D & string>(
  feed: FeedSource<D>,
  names: readonly N[] | null,
  options?: UseSnapshotOptions,
): SnapshotResult<{ [K in N]: DataOf<D, K> }>;
export function useSnapshot<T extends Record<string, unknown>>(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  names: readonly (keyof T & string)[] | null,
  options: UseSnapshotOptions & { readonly suspense: true },
): SnapshotSuccess<T>;
export function useSnapshot<T extends Record<string, unknown> = Record<string, unknown>>(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  names: readonly (keyof T & string)[] | null,
  options?: UseSnapshotOptions,
): SnapshotResult<T>;
export function useSnapshot(
  feed: AnyFeed | PromiseLike<AnyFeed> | null,
  names: readonly string[] | null,
  { suspense = false, ...options }: UseSnapshotOptions = {},
): SnapshotResult<Record<string, unknown>> {
  const isIdle = feed === null || names === null;
  const watch: Watched<Record<string, Reading>> = isIdle ? IDLE : watched(feed, names, options);
  const state = useSyncExternalStore(watch.subscribe, watch.state, watch.serverState);
  const result = useMemo((): SnapshotResult<Record<string, unknown>> => {
    const { value: readings, error } = state;
    const { refresh } = watch;
    if (!readings) return { ...nothing(error), readings: null, refresh };
    const data = Object.fromEntries(Object.entries(readings).map(([name, reading]) => [name, reading.data]));
    const isFresh = Object.values(readings).every(({ fresh }) => fresh);
    return { status: 'success', data, readings, isFresh, error, refresh };
  }, [watch, state]);
  if (suspense) suspendWithout(watch, state, result);
  return result;
}

function nothing(error: LastgoodError | null) {
  const none = { data: undefined, isFresh: false } as const;
  return error ? ({ ...none, status: 'error', error } as const) : ({ ...none, status: 'pending', error } as const);
}

/** Leaves the component to React unless there is something to show. */
function suspendWithout(
  watch: Watched,
  state: State,
  { status, error }: { readonly status: string; readonly error: LastgoodError | null },
): void {
  if (status === 'success') return;
  if (error) throw error;
  // React sends what the `Suspense` around shows, and renders the component in the page.
  if (state === SERVER) throw new Error('lastgood reads in the page, not on a server');
  throw watch.settled();
}
