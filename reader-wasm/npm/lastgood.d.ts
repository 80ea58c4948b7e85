/**
 * Where the value of a {@link Reading} came from.
 *
 * - `network`: its bytes were downloaded for this reading.
 * - `cache`: the verified cached copy, used on purpose (nothing to download, or the dataset is locked).
 * - `fallback`: the verified cached copy, because something failed; {@link Reading.reason} says what.
 */
export type Source = 'network' | 'cache' | 'fallback';

/** Why a reading is not fresh. The codes are stable; `detail` is for people. */
export type ReasonCode =
  /** A commit is in progress; the cached copy was handed out meanwhile. */
  | 'locked'
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
  /** The manifest is past its `expires_at`. */
  | 'expired'
  /** The manifest is older than one seen before: a stale edge or a replay. */
  | 'regressed'
  /** The bytes are not the ones that the manifest names. */
  | 'checksum-mismatch'
  /** The feed has no dataset of this name. */
  | 'not-found'
  /** The cached copies of a snapshot do not belong to one generation. */
  | 'inconsistent';

/** Every code that a {@link LastgoodError} can carry. */
export type ErrorCode =
  | ReasonCode
  /** The dataset name is not `[a-z0-9][a-z0-9_-]{0,63}`. */
  | 'invalid-name'
  /** The feed's address cannot be used. */
  | 'invalid-url'
  /** An option has a wrong type or value. */
  | 'invalid-options'
  /** The caller's `signal` was aborted. */
  | 'aborted'
  /** The feed was closed. */
  | 'closed'
  /** The WebAssembly module could not be loaded; calling `open` again tries again. */
  | 'wasm';

/** A value together with where it came from, how old it is, and why. */
export interface Reading<T = unknown> {
  /** The value, made by the engine's own `JSON.parse` from verified bytes. */
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
}

/** What to do with a dataset whose lock marker is held. */
export type LockPolicy =
  /** Hand out the cached copy at once; wait only when there is none. */
  | 'cache'
  /** Wait for the release (at most `lockWaitMs`), then read. */
  | 'wait'
  /** Do not look at the marker. The manifest is always consistent. */
  | 'ignore';

/** Something that an app may want to log. Reading goes on in each case. */
export type FeedEvent =
  /** There is no localStorage, or it is blocked. Told once for each opened feed. */
  | { readonly type: 'cache-unavailable'; readonly detail: string }
  /** The cached copy of `dataset`, which may be of another feed of this origin, was removed to make room. */
  | { readonly type: 'cache-evicted'; readonly dataset: string }
  /** The payload does not fit. The copy before it, if there is one, is kept. */
  | { readonly type: 'cache-full'; readonly dataset: string; readonly detail: string }
  /** The cached copy was lost or altered, and is not used. */
  | { readonly type: 'cache-corrupt'; readonly dataset: string; readonly detail: string };

export interface ReadOptions {
  /** Ends this call with the code `aborted`. */
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
}

export interface OpenOptions extends Omit<ReadOptions, 'signal'> {
  /**
   * Where the WebAssembly module is, when the bundler cannot tell: an address, a Response, bytes or a compiled module.
   * Only the call that loads the module looks at it.
   */
  wasm?: WasmSource | Promise<WasmSource>;
  /** Where verified payloads are kept. @default 'localStorage' */
  cache?: 'localStorage' | 'none';
  /** The largest payload that is read, in bytes, at least 1. @default 67108864 (64 MiB) */
  maxBytes?: number;
  /** Called for each event; what it throws is reported to the console and otherwise ignored. */
  onEvent?: (event: FeedEvent) => void;
}

export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** A feed opened for reading. */
export interface Feed {
  /** The feed's address, with a slash at the end. */
  readonly url: string;
  /**
   * Reads one dataset. Resolves with what a manifest checked just now names or, when that cannot be had, with the
   * cached copy and the reason.
   * @throws {LastgoodError} when there is neither
   */
  read<T = unknown>(name: string, options?: ReadOptions): Promise<Reading<T>>;
  /**
   * Reads several datasets that belong together: all of one generation. Resolves with a plain object that has a reading
   * under each name; names count once, and no names give an empty object without a request.
   * @throws {LastgoodError} when they cannot be had together, neither now nor from the cache
   */
  snapshot<T extends Record<string, unknown> = Record<string, unknown>>(
    names: readonly (keyof T & string)[],
    options?: ReadOptions,
  ): Promise<{ readonly [K in keyof T]: Reading<T[K]> }>;
  /** Ends every call in progress with the code `closed`; later calls are refused. */
  close(): void;
}

/**
 * Opens a feed: loads the WebAssembly module once per page. Makes no request to the feed.
 *
 * @param url the feed's directory, http or https, without query and fragment; a slash is added at the end; relative
 * addresses are resolved against the page
 * @throws {LastgoodError} `invalid-url`, `invalid-options`, `wasm`
 */
export function open(url: string | URL, options?: OpenOptions): Promise<Feed>;

/** Every failure of this package. */
export class LastgoodError extends Error {
  readonly name: 'LastgoodError';
  readonly code: ErrorCode;
  /** The dataset that was asked for, where the failure concerns one. */
  readonly dataset: string | null;
  /** The address that failed, where there is one. */
  readonly url: string | null;
  /** The HTTP status, where the code is `http`. */
  readonly status: number | null;
  /** The reason of the `signal` where the code is `aborted`; the underlying error where the code is `wasm`. */
  readonly cause?: unknown;

  /** For tests and for apps that want to throw the same kind of error. */
  constructor(
    message: string,
    details: {
      code: ErrorCode;
      dataset?: string | null;
      url?: string | null;
      status?: number | null;
      cause?: unknown;
    },
  );
}
