/**
 * The entry `lastgood/tanstack`, for TanStack Query 5 with any framework.
 *
 * Imports nothing of TanStack, not even types: package managers that keep packages apart would not find them.
 *
 * @module
 */

import { LastgoodError } from './errors.js';
import type { AnyFeed, DataOf, Datasets, Feed, ReadOptions, Reading, Shape, UndeclaredFeed } from './types.js';

/** Names a query: `lastgood`, the feed, the dataset. */
export type QueryKey = readonly ['lastgood', feed: string, dataset: string];

/** What `useQuery`, `prefetchQuery` and the like take; spread it to change or add options of TanStack's. */
export interface DatasetQuery<T> {
  readonly queryKey: QueryKey;
  /**
   * Resolves with the whole reading, since its age and reason matter too; `select: ({ data }) => data` gives the value
   * alone.
   */
  readonly queryFn: (context: QueryContext) => Promise<Reading<T>>;
  /** Up to three times, and only what may go better the next time. */
  readonly retry: (failureCount: number, error: LastgoodError) => boolean;
  /** Exponential, and not before the server wants to be asked again. */
  readonly retryDelay: (failureCount: number, error: LastgoodError) => number;
  /** Asks also when there is no network: the cached copy may do. */
  readonly networkMode: 'offlineFirst';
  /** Off: an unchanged dataset is the same object already, and a changed one need not be compared member by member. */
  readonly structuralSharing: false;
}

/** Of what TanStack gives to a query function, what is used. */
export interface QueryContext {
  readonly signal: AbortSignal;
  readonly queryKey?: readonly unknown[];
  readonly client?: QueryStore;
}

/** Of a `QueryClient`, what is used. */
export interface QueryStore {
  getQueryState(key: readonly unknown[]): { readonly data: unknown; readonly dataUpdatedAt: number } | undefined;
  setQueryData(key: readonly unknown[], data: unknown, options: { updatedAt: number }): unknown;
}

/**
 * The options of a query that reads a dataset. What it says of freshness changes with every look of the page, whoever asked for
 * it: a query and a component with `useDataset` agree.
 *
 *
 * The key is made of the feed's address and the dataset. A promise has no address yet and is numbered instead, in the
 * order in which promises come here: await the feed where keys must be the same on a server and in the page, or from
 * visit to visit.
 *
 * @param feed a feed, or the promise of one, the same object at every call
 * @param options those of `read`; what the page knows of the dataset's shape belongs to `open(url, { datasets })`
 */
export function queryOptions<D extends Datasets, N extends keyof D & string>(
  feed: Feed<D> | PromiseLike<Feed<D>>,
  name: N,
  options?: QueryReadOptions,
): DatasetQuery<DataOf<D, N>>;
export function queryOptions<T = unknown>(
  feed: UndeclaredFeed | PromiseLike<UndeclaredFeed>,
  name: string,
  options?: QueryReadOptions,
): DatasetQuery<T>;
export function queryOptions(
  feed: AnyFeed | PromiseLike<AnyFeed>,
  name: string,
  options: QueryReadOptions = {},
): DatasetQuery<unknown> {
  return {
    queryKey: ['lastgood', 'url' in feed ? feed.url : numberOf(feed), name],
    queryFn: async ({ signal, client, queryKey }) => {
      const opened = (await feed) as Feed;
      const reading = await opened.read(name, { ...options, signal });
      if (client && queryKey) follow(opened, client, queryKey);
      return reading;
    },
    retry: (failureCount, error) => failureCount < MOST_RETRIES && mayPass(error),
    retryDelay: (failureCount, error) =>
      Math.max(Math.min(FIRST_DELAY_MS * 2 ** failureCount, LONGEST_DELAY_MS), error.retryAfterMs ?? 0),
    networkMode: 'offlineFirst',
    structuralSharing: false,
  };
}

/** Options of a query's `read`. */
export type QueryReadOptions = Omit<ReadOptions, keyof Shape | 'signal'>;

// As TanStack does it by default.
const MOST_RETRIES = 3;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;

/** What the network, or a server in the middle of an upload, may do better the next time. */
const PASSING: ReadonlySet<string> = new Set([
  'checksum-mismatch',
  'inconsistent',
  'locked',
  'manifest-invalid',
  'offline',
  'regressed',
  'timeout',
  'too-old',
  'truncated',
]);

function mayPass(error: unknown): boolean {
  if (!(error instanceof LastgoodError)) return false;
  if (error.code !== 'http') return PASSING.has(error.code);
  return error.status === null || error.status >= 500 || error.status === 408 || error.status === 429;
}

/** The queries that are told of looks, by client and feed. */
const followed = new WeakMap<object, WeakMap<object, Set<string>>>();

/** Has a query told what later looks say of its reading, until it is removed from the client. */
function follow(feed: Feed, client: QueryStore, queryKey: readonly unknown[]): void {
  const feeds = followed.get(client) ?? new WeakMap<object, Set<string>>();
  const keys = feeds.get(feed) ?? new Set<string>();
  followed.set(client, feeds.set(feed, keys));
  const key = JSON.stringify(queryKey);
  if (keys.has(key)) return;
  keys.add(key);
  const end = feed.onLook(() => {
    const state = client.getQueryState(queryKey);
    const before = state?.data as Reading | undefined;
    if (!state) {
      keys.delete(key);
      end();
    } else if (before) {
      const now = feed.judge(before);
      // Not as new data: for TanStack it is as old as it was.
      if (now !== before) client.setQueryData(queryKey, now, { updatedAt: state.dataUpdatedAt });
    }
  });
}

const numbers = new WeakMap<object, string>();
let promises = 0;

function numberOf(feed: object): string {
  const number = numbers.get(feed) ?? `#${(promises += 1)}`;
  numbers.set(feed, number);
  return number;
}
