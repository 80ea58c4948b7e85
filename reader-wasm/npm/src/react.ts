/**
 * The entry `lastgood/react`.
 *
 * @module
 */

import { useMemo, useSyncExternalStore } from 'react';

import type { LastgoodError } from './errors.js';
import { IDLE, SERVER, watched, type State, type Watched } from './react/watched.js';
import type { AnyFeed, DataOf, Datasets, FallbackReading, Feed, Reading, Shape, WatchOptions } from './types.js';

/**
 * A feed, or the promise of one: `const feed = open('/data/')` beside the components is enough. With `null` nothing is read yet. Must be the
 * same object in every render.
 */
export type FeedSource<D extends Datasets = Datasets> = Feed<D> | PromiseLike<Feed<D>> | null;

/**
 * Options of {@link useDataset}; they may be written as a literal in the component. What the page knows of the dataset's shape belongs to
 * `open(url, { datasets })`, so that all components agree about it.
 */
export interface UseDatasetOptions<T = unknown> extends Omit<WatchOptions<T>, keyof Shape | 'signal' | 'onError'> {
  /** Shown as long as there is nothing else, also by a server that renders the page. That of the first render counts. */
  fallback?: T;
  /**
   * Suspends until there is something to show, and throws to the error boundary when there is nothing. On a server, `fallback` is
   * shown or, without one, what the `Suspense` around it shows. @default false
   */
  suspense?: boolean;
}

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

/** The first look has not ended. */
export interface DatasetPending extends Common {
  readonly status: 'pending';
  readonly data: undefined;
  readonly reading: null;
  readonly isFresh: false;
  readonly error: null;
}

/** There is nothing to show. The watch goes on. */
export interface DatasetError extends Common {
  readonly status: 'error';
  readonly data: undefined;
  readonly reading: null;
  readonly isFresh: false;
  /** Why. When its code is `too-old`, it carries what was too old as `reading`. */
  readonly error: LastgoodError;
}

/** What {@link useDataset} returns: the same object until something in it changes. */
export type DatasetResult<T> = DatasetSuccess<T> | DatasetPending | DatasetError;

/** With one of these there is always something to show. */
type Always<T> = { readonly suspense: true } | { readonly fallback: T };

/**
 * Watches a dataset as long as the component is mounted. All components that ask for the same share one watch, which goes on for five
 * seconds after the last one has gone, so that one that comes back has its data at once.
 *
 * Renders on a server without touching anything of a page: the result is the fallback, or pending. The page starts with the same, so
 * hydration agrees.
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
  const watch = feed === null || name === null ? IDLE : watched(feed, name, options);
  // Written as a literal, it would be another one in every render.
  const initial = useMemo(() => (fallback === undefined ? null : { data: fallback, dataset: name ?? '' }), [watch]);
  const state = useSyncExternalStore(watch.subscribe, watch.state, watch.serverState);
  const result = useMemo(() => resultOf(watch, state, initial), [watch, state, initial]);
  if (!suspense || result.status === 'success') return result;
  if (result.status === 'error') throw result.error;
  if (state === SERVER) throw new Error(ON_SERVER);
  throw watch.settled();
}

/** React shows what the `Suspense` around shows, and renders the component in the page. */
const ON_SERVER = 'lastgood reads in the page: on a server, useDataset with "suspense" needs a "fallback"';

type Initial = { readonly data: unknown; readonly dataset: string } | null;

function resultOf({ refresh }: Watched, { reading, error }: State, initial: Initial): DatasetResult<unknown> {
  const shown = reading ?? (initial && fallbackReading(initial, error));
  if (shown) return { status: 'success', data: shown.data, reading: shown, isFresh: shown.fresh, error, refresh };
  const nothing = { data: undefined, reading: null, isFresh: false, refresh } as const;
  return error ? { status: 'error', ...nothing, error } : { status: 'pending', ...nothing, error };
}

function fallbackReading(initial: NonNullable<Initial>, error: LastgoodError | null): FallbackReading {
  return {
    ...initial,
    source: 'initial',
    fresh: false,
    reason: error?.code ?? 'pending',
    detail: error?.message ?? null,
    generation: null,
    sha256: null,
    publishedAt: null,
    ageMs: null,
    checkedAt: null,
    meta: null,
    schemaVersion: null,
    cachedIn: null,
  };
}
