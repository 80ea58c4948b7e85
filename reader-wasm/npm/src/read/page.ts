/**
 * What the module that reads is given of a feed: its options, and the page's functions.
 *
 * @module
 */

import { LastgoodError } from '../errors.js';
import type { Tell, Trace } from '../events.js';
import { describe, parseRequestOptions, type FeedOptions } from '../options.js';
import type { FeedEvent, RequestOptions } from '../types.js';
import type { Validate, Verdict } from '../validator.js';
import type { Brought } from './brought.js';
import type { Early, EarlyRequest } from './early.js';
import { adapt, type ReadableResponse } from './response.js';

/** As `reader-wasm/src/page.rs` has it. */
export interface Page {
  readonly url: string;
  readonly cache: string;
  readonly maxBytes: number;
  readonly fetch: typeof fetch | undefined;
  readonly trace: Trace;
  init(url: string): RequestInit | Promise<RequestInit>;
  early(path: string): EarlyRequest | undefined;
  adapt(given: unknown): ReadableResponse;
  /** What must no longer be shown: payloads by their digests, or, with `null`, all. */
  dropped(digests: readonly string[] | null): void;
  emit(event: FeedEvent): void;
  loadValidator(): void;
  validate(sha256: string, schema: string, payload: Uint8Array): Promise<Verdict>;
}

/** What of a feed is not one of its options. */
interface Around {
  readonly tell: Tell;
  readonly trace: Trace;
  readonly early: Early | null;
  readonly brought: Brought;
  readonly validator: () => Promise<Validate>;
  readonly dropped: (digests: readonly string[] | null) => void;
}

export function pageOf(
  url: string,
  options: FeedOptions,
  { tell, trace, early, brought, validator, dropped }: Around,
): Page {
  const { cache, maxBytes, init, fetch } = options;
  return {
    url,
    cache,
    maxBytes,
    fetch: fetch ?? undefined,
    trace,
    init: (url) => requestInit(url, init),
    early: (path) => brought.take(path) ?? early?.take(path),
    adapt,
    dropped,
    emit: tell,
    // What comes of it is seen when it is needed.
    loadValidator: () => void validator().catch(() => {}),
    validate: async (sha256, schema, payload) => (await validator())(sha256, schema, payload),
  };
}

/** What the page wants a request to be made with, and headers that are nobody else's. */
export function requestInit(url: string, init: FeedOptions['init']): RequestInit | Promise<RequestInit> {
  return typeof init === 'function' ? askForInit(url, init) : withHeaders(init);
}

async function askForInit(
  url: string,
  init: (url: string) => RequestOptions | Promise<RequestOptions>,
): Promise<RequestInit> {
  let given: unknown;
  try {
    given = await init(url);
  } catch (cause) {
    const problem = `option "init": the function has failed for ${url}: ${describe(cause)}`;
    throw new LastgoodError(problem, { code: 'invalid-options', url, cause });
  }
  return withHeaders(parseRequestOptions(given, `what the function has given for ${url}`));
}

function withHeaders(given: RequestOptions): RequestInit {
  return { ...given, headers: new Headers(given.headers) };
}
