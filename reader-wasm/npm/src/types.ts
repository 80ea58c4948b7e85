/**
 * Every public type.
 *
 * @module
 */

import type { LastgoodError } from './errors.js';

/**
 * Where the value of a {@link Reading} came from.
 *
 * - `network`: its bytes were downloaded for this reading.
 * - `cache`: a verified copy kept from before, used on purpose (nothing to download, or the dataset is locked).
 * - `fallback`: a verified copy kept from before, because something failed; {@link Reading.reason} says what.
 */
export type Source = 'network' | 'cache' | 'fallback';

/** Why a reading is not fresh. The codes are stable; `detail` is for people. */
export type ReasonCode =
  /** A commit is in progress; the cached copy, or what the manifest names, was handed out meanwhile. */
  | 'locked'
  /** The feed is being looked at, or was last looked at longer ago than the interval allows: the value is the one from before. */
  | 'checking'
  /** The request did not get through: no network, DNS, refused by CORS or a content security policy. */
  | 'offline'
  /** The server sent nothing for `timeoutMs`. */
  | 'timeout'
  /** The server answered with an unexpected status. */
  | 'http'
  /** The connection broke in the middle of a body. */
  | 'truncated'
  /** Not JSON, typically the HTML page of a single-page-app fallback. */
  | 'not-json'
  /** Larger than the limit. */
  | 'too-large'
  /** The manifest is damaged. */
  | 'manifest-invalid'
  /** The feed has a newer format than this version of lastgood reads. */
  | 'format-unsupported'
  /** The dataset, or the whole manifest, is past its `expires_at`. */
  | 'expired'
  /** The manifest is older than one seen before: a stale edge or a replay. */
  | 'regressed'
  /** The bytes are not the ones that the manifest names. */
  | 'checksum-mismatch'
  /** The feed has no dataset of this name. */
  | 'not-found'
  /** The dataset is an artifact and was read as JSON, or the other way round. */
  | 'wrong-kind'
  /** The cached copies of a snapshot do not belong to one generation. */
  | 'inconsistent'
  /** The value does not satisfy its published schema, or the page's own (`schema`). */
  | 'schema-invalid'
  /** The published schema uses what this version of lastgood does not know. */
  | 'schema-unsupported'
  /** The schema is newer than the `version` that the page was written for. */
  | 'schema-newer'
  /** The schema is older than the oldest version that the page can `migrate` from. */
  | 'schema-older'
  /** The page asks for a `version`, and the dataset was published without a schema. */
  | 'schema-missing'
  /** A function of `migrate` threw. */
  | 'migration-failed';

/** Every code that a {@link LastgoodError} can carry. */
export type ErrorCode =
  | ReasonCode
  /** What could be handed out is older than `maxAge`; the error carries it as `reading`. */
  | 'too-old'
  /** The dataset name is not `[a-z0-9][a-z0-9_-]{0,63}`. */
  | 'invalid-name'
  /** The feed's address cannot be used. */
  | 'invalid-url'
  /** An option has a wrong type or value, or the function `init` has failed. */
  | 'invalid-options'
  /** The caller's `signal` was aborted. */
  | 'aborted'
  /** The feed was closed. */
  | 'closed'
  /** The WebAssembly module could not be loaded; calling `open` again tries again. */
  | 'wasm'
  /** A defect of lastgood. The next call begins anew. */
  | 'internal';

/** A value together with where it came from, how old it is, and why. */
export interface Reading<T = unknown> {
  /**
   * The value, made by the engine's own `JSON.parse` from verified bytes. As long as the dataset does not change, it is the same
   * object in every reading of one {@link Feed}: treat it as read-only.
   */
  readonly data: T;
  /** The name of the dataset. */
  readonly dataset: string;
  readonly source: Source;
  /** Whether this is what a manifest checked just now names. */
  readonly fresh: boolean;
  /** Why the reading is not fresh; `null` when it is. */
  readonly reason: ReasonCode | null;
  /** One sentence about `reason` for people and logs; `null` when fresh. */
  readonly detail: string | null;
  /** The generation of the feed that this value belongs to; equal for all readings of one snapshot. */
  readonly generation: number;
  /** SHA-256 of the payload bytes, in hex. */
  readonly sha256: string;
  /** When the dataset was last published, RFC 3339 in UTC. */
  readonly publishedAt: string;
  /** Milliseconds since `publishedAt`, by the server's clock as far as it is known. */
  readonly ageMs: number;
  /** When a manifest last confirmed this value as current, RFC 3339 in UTC, by this device's clock. */
  readonly checkedAt: string;
  /** What the publisher said of it (`--meta`), or `null`. */
  readonly meta: unknown;
  /** The version of the published schema, before any `migrate`; `null` when it was published without a schema. */
  readonly schemaVersion: number | null;
  /**
   * Where a copy is kept for later visits, as of the moment when you look; `null` when it could not be kept, is still being written, or
   * `cache` is `none`. All but small copies are written after the value was handed out; then the event `cached` tells of it.
   */
  readonly cachedIn: 'localStorage' | 'cacheStorage' | null;
}

/**
 * The `fallback` that the page itself brought, marked as such: nothing has been read yet, or nothing could be. The rest is that of the
 * reading that was brought, or `null` when it was a value.
 */
export interface FallbackReading<T = unknown> {
  readonly data: T;
  readonly dataset: string;
  readonly source: 'initial';
  readonly fresh: false;
  /** `pending` before the first reading, else why there is none. */
  readonly reason: ErrorCode | 'pending';
  readonly detail: string | null;
  readonly generation: number | null;
  readonly sha256: string | null;
  readonly publishedAt: string | null;
  readonly ageMs: number | null;
  readonly checkedAt: string | null;
  readonly meta: unknown;
  readonly schemaVersion: number | null;
  readonly cachedIn: null;
}

/** An artifact: a dataset that is not JSON, such as a chart as PNG. */
export interface ArtifactReading extends Reading<Blob> {
  /** The extension that it was published with, such as `png`. */
  readonly ext: string;
  /**
   * An object URL of the blob, made at the first call and the same at every later one. It is revoked when the feed is
   * closed; {@link revokeObjectUrl} does so earlier, for pages that show a new one every minute.
   */
  objectUrl(): string;
  /** Revokes the object URL, if one was made. */
  revokeObjectUrl(): void;
}

/** What to do with a dataset whose lock marker is held. */
export type LockPolicy =
  /** Hand out the cached copy at once and, when there is none, what the manifest names. */
  | 'cache'
  /** Wait for the release (at most `lockWaitMs`), then read. */
  | 'wait'
  /** Do not look at the marker. The manifest is always consistent. */
  | 'ignore';

/** How integers beyond ±(2^53 − 1) come out of `JSON.parse`. */
export type Numbers =
  /** As numbers, rounded as the engine does. */
  | 'number'
  /** Those beyond as `bigint`, all others as numbers. */
  | 'bigint'
  /** Those beyond as the text that was published, all others as numbers. */
  | 'string';

/** What the page knows of a dataset's shape. */
export interface Shape<T = unknown> {
  /**
   * The version of the published schema that the page was written for. A newer one is not handed out (`schema-newer`), an
   * older one only if `migrate` leads from it to this one.
   */
  version?: number;
  /**
   * Steps from older versions: the function under `2` makes version 3 out of version 2. Applied to what comes from the network
   * and from the cache alike. They get a value of their own, which they may change.
   */
  migrate?: { readonly [fromVersion: number]: (value: unknown) => unknown };
  /** A Standard Schema (zod, valibot, arktype, …): checks the value, after `migrate`, and gives `data` its type and its output. */
  schema?: StandardSchemaV1<unknown, T>;
  /** Whether the value is validated against the schema that was published with it. @default true */
  validate?: boolean;
  /** @default 'number' */
  numbers?: Numbers;
}

/** Options of one read. */
export interface ReadOptions<T = unknown> extends Shape<T> {
  /** Ends this call with the code `aborted`; other calls for the same dataset go on. */
  signal?: AbortSignal;
  /** @default 'cache' */
  lock?: LockPolicy;
  /** The longest wait for a lock, in milliseconds, 0 to 2147483647; after it, reading goes on. @default 10000 */
  lockWaitMs?: number;
  /**
   * The longest wait for the server, in milliseconds, 1 to 2147483647: for the whole of a manifest or a lock marker, and
   * for the next part of a payload, so that a slow line can finish a large one. @default 10000
   */
  timeoutMs?: number;
  /**
   * The longest time, in milliseconds, since a manifest has confirmed a value as current. What is older is not handed out: the
   * call ends with `too-old`, and the error carries the reading. @default no limit
   */
  maxAge?: number;
  /**
   * The longest wait of this call, in milliseconds, 0 to 2147483647. After it, the verified copy at hand is handed out with the reason
   * `timeout`, and the look goes on; without a copy, so does the wait. @default no limit
   */
  within?: number;
  /**
   * When the verified copy at hand is handed out. `first`: at once, with the reason `checking`, and the look goes on. `fallback`: only
   * when the feed cannot be read. @default 'fallback' for `read`, `snapshot` and `artifact`, 'first' for `watch` and `updates`
   */
  cached?: 'first' | 'fallback';
}

/** A value for the first paint. */
export interface WithFallback<T> {
  /**
   * Handed out, marked with `source: 'initial'`, as long as there is nothing else: by `watch` first of all, with the reason `pending`,
   * and with another reason when the first reading fails; by `read` when it would otherwise throw. A value, or the reading of it that
   * a server has made, with its age and generation: then its payload is not downloaded again as long as it is current.
   */
  fallback: T | Reading<T>;
}

/** Without one, whether it is written in place or held in a variable. */
export type NoFallback<O> = O & { fallback?: never };

/** Options of a dataset whose type is known from `open(url, { datasets })`, so without a `schema` that would give it another. */
export type KnownShape<O> = Omit<O, 'schema'> & { schema?: never };

/** Options of `watch` and `updates`. */
export interface WatchOptions<T = unknown> extends Omit<ReadOptions<T>, 'signal'> {
  /** Ends the watch. */
  signal?: AbortSignal;
  /**
   * The time between two looks at an unchanged feed, in milliseconds, varied by a tenth either way; at least `minIntervalMs`. Of
   * several watches of a feed, the shortest counts. @default 30000
   */
  intervalMs?: number;
  /**
   * Called when nothing could be read and there is no copy either, beside the callback with the `fallback` if there is one; again when
   * the error is another one. The watch goes on, and what was handed out before stands.
   */
  onError?: (error: LastgoodError) => void;
  /** Called with `true` when a look begins that the watch takes part in, and with `false` when that has ended for it. */
  onChecking?: (checking: boolean) => void;
}

/** Something that an app may want to log. Reading goes on in each case. */
export type FeedEvent =
  /** A reading was handed out: by `read`, `snapshot` or `artifact`, or to a watch that it is new to. */
  | { readonly type: 'reading'; readonly dataset: string; readonly reading: Reading }
  /** There is nothing to hand out. */
  | { readonly type: 'error'; readonly dataset: string; readonly error: LastgoodError }
  /** A dataset that was fresh is not any more. With `locked` that is nothing to worry about. */
  | { readonly type: 'stale'; readonly dataset: string; readonly reason: ReasonCode; readonly detail: string }
  /** A dataset that was not fresh is again. */
  | { readonly type: 'recovered'; readonly dataset: string; readonly staleMs: number }
  /** The server handed out an older manifest than one seen before, which was refused. Told once, until it hands out a good one. */
  | { readonly type: 'regressed'; readonly detail: string }
  /** A copy of the dataset, which was handed out before, is kept from now on. */
  | { readonly type: 'cached'; readonly dataset: string; readonly in: 'localStorage' | 'cacheStorage' }
  /** There is no storage, or it is blocked or does not answer. Told once for each opened feed and kind of storage. */
  | { readonly type: 'cache-unavailable'; readonly detail: string }
  /** The cached copy of `dataset`, which may be of another feed of this origin, was removed to make room. */
  | { readonly type: 'cache-evicted'; readonly dataset: string }
  /** The payload fits nowhere. The copy before it, if there is one, is kept. */
  | { readonly type: 'cache-full'; readonly dataset: string; readonly detail: string }
  /** The cached copy was lost or altered, and is not used. */
  | { readonly type: 'cache-corrupt'; readonly dataset: string; readonly detail: string }
  /** This tab polls the feed for all tabs that share it, or no longer does. */
  | { readonly type: 'leader'; readonly leading: boolean };

/** What requests are made with: see `fetch`. `signal`, `cache` and `method` are lastgood's own. */
export type RequestOptions = Omit<RequestInit, 'signal' | 'cache' | 'method' | 'body'>;

/** Options of `open`. */
export interface OpenOptions<D extends Datasets = Datasets> extends Omit<ReadOptions, 'signal' | keyof Shape> {
  /**
   * Where the WebAssembly module is, when the bundler cannot tell: an address, a Response, bytes or a compiled module.
   * Only the call that loads the module looks at it.
   */
  wasm?: WasmSource | Promise<WasmSource>;
  /** The same for the module that validates, which is loaded when a manifest first names a schema. */
  validator?: WasmSource | Promise<WasmSource>;
  /**
   * The datasets that the page will read first: their payloads are asked for beside the manifest while the module is loaded, unless
   * this device has copies of them, and the validator of published schemas is loaded at once.
   */
  preload?: readonly string[];
  /** What the page knows of the datasets: for every read, snapshot and watch of them. */
  // "& Datasets" types the arguments of the functions in it: the default of D at `open` knows nothing of them.
  datasets?: D & Datasets;
  /**
   * Where verified payloads are kept for later visits. `auto`: in localStorage, and in Cache Storage what does not fit there, artifacts,
   * and everything in workers. `localStorage`: there alone. `none`: nowhere.
   * @default 'auto'
   */
  cache?: 'auto' | 'localStorage' | 'none';
  /** The largest payload that is read, in bytes, at least 1. @default 67108864 (64 MiB) */
  maxBytes?: number;
  /** For `watch` and `updates`. @default 30000 */
  intervalMs?: number;
  /**
   * The shortest time between two looks of this page, whatever asks for them, in milliseconds. Only the release of a locked dataset is
   * awaited with shorter steps. @default 1000
   */
  minIntervalMs?: number;
  /**
   * Whether one tab polls for all tabs of the origin that watch this feed. With `true` those share that send the same requests for
   * sure: not if `init` has headers or is a function, nor with a `fetch` of your own. With a text, such as the id of the
   * signed-in user, those share that give the same text, whatever they send. @default true
   */
  shareTabs?: boolean | string;
  /**
   * Credentials, headers and the like for every request; a function is asked before each one. When it fails, copies are handed
   * out with the reason `offline`; without one, the call ends with `invalid-options` and what it threw as the `cause`.
   */
  init?: RequestOptions | ((url: string) => RequestOptions | Promise<RequestOptions>);
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch;
  /** Called for each event; what it throws is reported to the console and otherwise ignored. */
  onEvent?: (event: FeedEvent) => void;
  /** Explains each decision in the console, in one line. @default false */
  debug?: boolean;
}

export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** What a page knows of the shapes of datasets, by name. */
export interface Datasets {
  readonly [dataset: string]: Shape;
}

/** The type of a dataset's value, as far as its shape or its declaration says. */
export type DataOf<D extends Datasets, N> = N extends keyof D
  ? D[N] extends DeclaredShape<infer T>
    ? T
    : D[N] extends { schema: StandardSchemaV1<unknown, infer T> }
      ? T
      : unknown
  : unknown;

/** A dataset whose type the page declares. It exists for the compiler alone. */
export interface DeclaredShape<T> extends Shape {
  readonly '~data': T;
}

/** The datasets of a feed whose types the page declares: those of `open<{ series: Row[] }>('/data/')`. */
export type Declared<T extends object> = { readonly [N in keyof T & string]: DeclaredShape<T[N]> };

/** What `open` is told of datasets whose types are declared. */
export type ShapesOf<T extends object> = { readonly [N in keyof T & string]?: Shape<T[N]> };

/** The names beyond those in `D` that a feed takes: any, or none when the page has declared its datasets. */
export type OtherNames<D extends Datasets> = [keyof D] extends [never]
  ? string
  : D[keyof D] extends DeclaredShape<unknown>
    ? never
    : string;

/** Every name that a feed takes. */
export type NamesOf<D extends Datasets> = (keyof D & string) | OtherNames<D>;

/** A feed opened for reading. */
export interface Feed<D extends Datasets = Datasets> {
  /** The feed's address, with a slash at the end. */
  readonly url: string;
  /**
   * Reads one dataset. Resolves with what a manifest checked just now names or, when that cannot be had, with the
   * cached copy and the reason. Calls at the same time share their requests.
   * @throws {LastgoodError} when there is neither
   */
  read<N extends keyof D & string>(
    name: N,
    options?: NoFallback<KnownShape<ReadOptions>>,
  ): Promise<Reading<DataOf<D, N>>>;
  read<N extends keyof D & string>(
    name: N,
    options: KnownShape<ReadOptions> & WithFallback<NoInfer<DataOf<D, N>>>,
  ): Promise<Reading<DataOf<D, N>> | FallbackReading<DataOf<D, N>>>;
  read<T>(name: OtherNames<D>, options: ReadOptions<T> & WithFallback<NoInfer<T>>): Promise<Reading<T> | FallbackReading<T>>;
  read<T = unknown>(name: OtherNames<D>, options?: NoFallback<ReadOptions<T>>): Promise<Reading<T>>;
  /**
   * Reads several datasets that belong together: all of one generation. Resolves with a plain object that has a reading
   * under each name; names count once, and no names give an empty object without a request.
   * @throws {LastgoodError} when they cannot be had together, neither now nor from the cache
   */
  snapshot<N extends keyof D & string>(
    names: readonly N[],
    options?: Omit<ReadOptions, keyof Shape>,
  ): Promise<{ readonly [K in N]: Reading<DataOf<D, K>> }>;
  snapshot<T extends Record<string, unknown> = Record<string, unknown>>(
    names: readonly (keyof T & OtherNames<D>)[],
    options?: Omit<ReadOptions, keyof Shape>,
  ): Promise<{ readonly [K in keyof T]: Reading<T[K]> }>;
  /**
   * Reads an artifact: a dataset that is not JSON.
   * @throws {LastgoodError} when there is neither a current nor a cached copy
   */
  artifact(name: string, options?: Omit<ReadOptions, keyof Shape>): Promise<ArtifactReading>;
  /** Watches an artifact, as {@link watch} does a dataset. Each reading has an object URL of its own, which is for you to revoke. */
  watchArtifact(
    name: string,
    callback: (reading: ArtifactReading) => void,
    options?: Omit<WatchOptions, keyof Shape>,
  ): () => void;
  /**
   * Calls back with the first reading, and then whenever there is something new to show: another value, fresh or no longer, another reason,
   * published anew (`publishedAt`, `meta`). As long as the feed is unchanged, nobody is called. `source`, `generation`, `checkedAt` and
   * `ageMs` alone are nothing new: they are those of the last call. Never calls before it has returned. What a callback throws is
   * reported, and the watch goes on.
   *
   * Polls while the page is visible and online, and at once when it becomes so again or gets the focus. Watches of a feed share
   * their looks. Returns what ends the watch.
   */
  watch<N extends keyof D & string>(
    name: N,
    callback: (reading: Reading<DataOf<D, N>>) => void,
    options?: NoFallback<KnownShape<WatchOptions>>,
  ): () => void;
  watch<N extends keyof D & string>(
    name: N,
    callback: (reading: Reading<DataOf<D, N>> | FallbackReading<DataOf<D, N>>) => void,
    options: KnownShape<WatchOptions> & WithFallback<NoInfer<DataOf<D, N>>>,
  ): () => void;
  watch<T>(
    name: OtherNames<D>,
    callback: (reading: Reading<T> | FallbackReading<T>) => void,
    options: WatchOptions<T> & WithFallback<NoInfer<T>>,
  ): () => void;
  watch<T = unknown>(
    name: OtherNames<D>,
    callback: (reading: Reading<T>) => void,
    options?: NoFallback<WatchOptions<T>>,
  ): () => void;
  /** Watches several datasets that belong together: calls back with what {@link snapshot} resolves with, all of one generation. */
  watch<N extends keyof D & string>(
    names: readonly N[],
    callback: (readings: { readonly [K in N]: Reading<DataOf<D, K>> }) => void,
    options?: Omit<WatchOptions, keyof Shape>,
  ): () => void;
  watch<T extends Record<string, unknown> = Record<string, unknown>>(
    names: readonly (keyof T & OtherNames<D>)[],
    callback: (readings: { readonly [K in keyof T]: Reading<T[K]> }) => void,
    options?: Omit<WatchOptions, keyof Shape>,
  ): () => void;
  /**
   * The same as an async iterator. It begins with the first `next`; a slow consumer gets the latest reading, not every one in between.
   * `break` ends the watch; the end of the watch, by its `signal` or `close`, ends the iteration. Errors do not: they go to
   * `onError`.
   */
  updates<N extends keyof D & string>(
    name: N,
    options?: NoFallback<KnownShape<WatchOptions>>,
  ): AsyncIterableIterator<Reading<DataOf<D, N>>>;
  updates<N extends keyof D & string>(
    name: N,
    options: KnownShape<WatchOptions> & WithFallback<NoInfer<DataOf<D, N>>>,
  ): AsyncIterableIterator<Reading<DataOf<D, N>> | FallbackReading<DataOf<D, N>>>;
  updates<T>(
    name: OtherNames<D>,
    options: WatchOptions<T> & WithFallback<NoInfer<T>>,
  ): AsyncIterableIterator<Reading<T> | FallbackReading<T>>;
  updates<T = unknown>(name: OtherNames<D>, options?: NoFallback<WatchOptions<T>>): AsyncIterableIterator<Reading<T>>;
  updates<N extends keyof D & string>(
    names: readonly N[],
    options?: Omit<WatchOptions, keyof Shape>,
  ): AsyncIterableIterator<{ readonly [K in N]: Reading<DataOf<D, K>> }>;
  updates<T extends Record<string, unknown> = Record<string, unknown>>(
    names: readonly (keyof T & OtherNames<D>)[],
    options?: Omit<WatchOptions, keyof Shape>,
  ): AsyncIterableIterator<{ readonly [K in keyof T]: Reading<T[K]> }>;
  /**
   * Looks at the feed for everything that is watched, hidden or not, as soon as `minIntervalMs` allows. Resolves at the end of a look that
   * began after the call; calls that wait for the same one share it. It never rejects for what it finds: the watches are told.
   * @throws {LastgoodError} `closed`
   */
  refresh(): Promise<void>;
  /**
   * The last reading of a dataset that this page has, as of now; `null` when there is none. Asks nobody, neither the server nor storage.
   * Its value is in the shape that `open` was told.
   */
  held<N extends keyof D & string>(name: N): Reading<DataOf<D, N>> | null;
  held<T = unknown>(name: OtherNames<D>): Reading<T> | null;
  /** The last readings of several datasets that belong together, by name. */
  held<N extends keyof D & string>(names: readonly N[]): { readonly [K in N]: Reading<DataOf<D, K>> } | null;
  held<T extends Record<string, unknown> = Record<string, unknown>>(
    names: readonly (keyof T & OtherNames<D>)[],
  ): { readonly [K in keyof T]: Reading<T[K]> } | null;
  /**
   * Reads datasets together, so that {@link held} has them, and a component that shows one of them has it in its first render. Ends quietly
   * when they cannot be read.
   * @throws {LastgoodError} `closed`, `invalid-name`
   */
  readonly prefetch: (names: NamesOf<D> | readonly NamesOf<D>[]) => Promise<void>;
  /** The reading as of now: `fresh`, `reason` and `detail` as the last look at the feed says, whoever asked for that. */
  judge<R extends Reading>(reading: R): R;
  /**
   * Calls back after each look at the feed of this page, whoever asked for it, and when the last one becomes too old: {@link judge} and
   * {@link held} may say something else then. Returns what ends it.
   */
  onLook(listener: () => void): () => void;
  /**
   * Removes all that the device keeps of the feed, as on signing out: from this page, localStorage and Cache Storage. Other tabs drop what
   * they hold at their next look. Watches go on, and read anew.
   */
  forget(): Promise<void>;
  /** Ends every call in progress with the code `closed`, and every watch; later calls are refused. */
  close(): void;
}

/**
 * A feed of whatever datasets, for functions that pass it on: a `Feed<D>` is no `Feed`, since it knows some names better than the others.
 */
export type AnyFeed = Pick<Feed, 'url' | 'refresh' | 'close'>;

/** A feed that takes any name: one whose datasets the page has not declared. */
export type UndeclaredFeed = AnyFeed & Pick<Feed, 'prefetch'>;

/** The interface that validators share: https://standardschema.dev */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a Standard Schema says of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };
