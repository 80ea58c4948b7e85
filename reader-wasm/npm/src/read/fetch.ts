/**
 * One request, with its limits of size and time.
 *
 * @module
 */

import { LastgoodError } from '../errors.js';
import { describe, parseRequestOptions } from '../options.js';
import type { RequestOptions } from '../types.js';
import type { Failure, FileRequest } from './core.js';
import { unlessAborted } from './flights.js';
import { responseOf, type AnyResponse } from './response.js';

/** Thrown by what is here; everything else that is thrown is an abort or a defect. */
export class FetchFailure {
  readonly failure: Failure;

  constructor(failure: Failure) {
    this.failure = failure;
  }
}

/** How requests of a feed are made. */
export interface Transport {
  /** The feed's address, which ends in a slash. */
  readonly url: string;
  readonly fetch: typeof fetch | null;
  readonly init: RequestOptions | ((url: string) => RequestOptions | Promise<RequestOptions>);
}

/** A body and when it was answered. */
export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The server's time in milliseconds: unknown across origins, unless the server exposes `Date`. */
  readonly serverTime: number | null;
}

/** A body just fetched. */
export interface Fetched extends Body {
  /** Its media type, as the server says. */
  readonly type: string;
}

/**
 * How long is waited: for all of a small file; or for each part of a payload, so that a slow phone can finish a large
 * download.
 */
export interface Patience {
  readonly ms: number;
  readonly forEachPart: boolean;
}

/** Fetches a file of a feed. */
export async function fetchFile(
  transport: Transport,
  request: FileRequest,
  patience: Patience,
  signal: AbortSignal,
): Promise<Fetched> {
  // Ends the request in every case: when the caller leaves, when it takes too long, and when the rest is not wanted.
  const controller = new AbortController();
  const clock = new Clock(request.path, patience, controller);
  const leave = () => controller.abort(signal.reason);
  signal.addEventListener('abort', leave);
  try {
    if (signal.aborted) leave();
    const response = await clock.wait(send(transport, request, controller.signal));
    if (response.status !== 200) throw unexpectedStatus(request.path, response);
    const type = response.header('content-type') ?? '';
    const whole = !patience.forEachPart && fits(response, request);
    const bytes = await (whole ? wholeBody(response, request, clock) : body(response, request, clock));
    return { bytes, serverTime: serverTime(response), type };
  } finally {
    clock.stop();
    signal.removeEventListener('abort', leave);
    controller.abort();
  }
}

/**
 * `Accept` keeps single-page-app servers from answering with their HTML page and needs no CORS preflight; conditional headers
 * would need one, so revalidating is left to `cache`. What is no JSON is asked for as what it is: a server that negotiates might refuse.
 */
async function send(transport: Transport, { path, cache }: FileRequest, signal: AbortSignal): Promise<AnyResponse> {
  const url = transport.url + path;
  const given = await initFor(url, transport);
  const headers = new Headers(given.headers);
  if (!headers.has('accept')) headers.set('accept', /\.(json|lock)$/.test(path) ? 'application/json' : '*/*');
  const fetchIt = transport.fetch ?? globalThis.fetch;
  try {
    return responseOf(await fetchIt(url, { ...given, headers, cache: whereToAsk(cache), signal }));
  } catch (thrown) {
    signal.throwIfAborted();
    throw new FetchFailure({
      code: 'offline',
      detail:
        `${path}: the request did not get through (${describe(thrown)}): ` +
        'no network, or refused by CORS or a content security policy',
      path,
    });
  }
}

/** Offline, Firefox takes out of its cache what it was told to revalidate, as if it had; only `no-store` keeps it from that. */
function whereToAsk(cache: RequestCache): RequestCache {
  const mustBeCurrent = cache === 'no-cache' || cache === 'reload';
  return mustBeCurrent && globalThis.navigator?.onLine === false ? 'no-store' : cache;
}

/**
 * Whether the body is known beforehand to be within the limit. The size that is told is that of the body when it is not compressed; what
 * is answered from elsewhere may not say whether it is, and what an app's own `fetch` makes may say anything.
 */
function fits(response: AnyResponse, { limit }: FileRequest): boolean {
  const [length, encoding] = ['content-length', 'content-encoding'].map(response.header);
  return response.type === 'basic' && length != null && encoding == null && Number(length) <= limit;
}

/** The body in one go, which takes the main thread much less time than part by part where there is only one. */
async function wholeBody(response: AnyResponse, { path }: FileRequest, clock: Clock): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await clock.wait(response.whole().catch((thrown: unknown) => Promise.reject(broken(path, thrown))));
  expectJson(path, bytes);
  return bytes;
}

/** What the page wants the request to be made with. */
async function initFor(url: string, { init }: Transport): Promise<RequestOptions> {
  if (typeof init !== 'function') return init;
  let given: unknown;
  try {
    given = await init(url);
  } catch (cause) {
    const problem = `option "init": the function has failed for ${url}: ${describe(cause)}`;
    throw new LastgoodError(problem, { code: 'invalid-options', url, cause });
  }
  return parseRequestOptions(given, `what the function has given for ${url}`);
}

/** The body part by part, no more than the limit, in one piece of memory, which hashing and decoding need. */
async function body(response: AnyResponse, { path, limit }: FileRequest, clock: Clock): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const body = response.parts();
  try {
    for (;;) {
      const { done, value } = await clock.wait(body.next().catch((thrown: unknown) => Promise.reject(broken(path, thrown))));
      if (done) break;
      if (size === 0) expectJson(path, value);
      size += value.length;
      if (size > limit) {
        throw new FetchFailure({ code: 'too-large', detail: `${path}: more than the ${limit} bytes that are read of it`, path });
      }
      parts.push(value);
    }
  } finally {
    // Streams of Node end with it. It may take as long as the part that is waited for, so nobody waits for it.
    body.return().catch(() => undefined);
  }
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function broken(path: string, thrown: unknown): FetchFailure {
  const detail = `${path}: the connection broke in the middle (${describe(thrown)})`;
  return new FetchFailure({ code: 'truncated', detail, path });
}

/** Tells the HTML page of a single-page app at its first byte, before its size can look like the problem. */
function expectJson(path: string, start: Uint8Array): void {
  const text = new TextDecoder().decode(start.subarray(0, 256)).trimStart();
  if (path.endsWith('.json') && text.startsWith('<')) {
    const detail = `${path}: expected JSON, found an HTML page: "${text.slice(0, 40).replace(/\s+/g, ' ')}"`;
    throw new FetchFailure({ code: 'not-json', detail, path });
  }
}

/** When the answer was made, and how long caches on the way have kept it since. */
function serverTime(response: AnyResponse): number | null {
  const made = Date.parse(response.header('date') ?? '');
  const ageS = Number.parseInt(response.header('age') ?? '0', 10);
  return Number.isNaN(made) ? null : made + (ageS > 0 ? ageS * 1000 : 0);
}

function unexpectedStatus(path: string, { status, header }: AnyResponse): FetchFailure {
  const detail = `${path}: expected status 200, the server answered ${status}`;
  return new FetchFailure({ code: 'http', detail, path, status, retryAfterMs: retryAfter(header('retry-after')) });
}

/** `Retry-After` in seconds or as a date. */
function retryAfter(text: string | null): number | null {
  if (text === null) return null;
  const seconds = /^\s*\d+\s*$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return seconds >= 0 ? Math.round(seconds * 1000) : null;
}

/** Ends a request that takes too long. */
class Clock {
  readonly #path: string;
  readonly #patience: Patience;
  readonly #controller: AbortController;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, patience: Patience, controller: AbortController) {
    this.#path = path;
    this.#patience = patience;
    this.#controller = controller;
    this.#start();
  }

  /** The result, unless it takes too long or the request is ended meanwhile; a custom `fetch` may not heed its signal. */
  async wait<T>(result: Promise<T>): Promise<T> {
    if (this.#patience.forEachPart) this.#start();
    return unlessAborted(result, this.#controller.signal);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    const { ms, forEachPart } = this.#patience;
    this.stop();
    this.#timer = setTimeout(() => {
      const waited = forEachPart ? `the server sent nothing for ${ms} ms` : `the server had not answered in full after ${ms} ms`;
      const [code, path] = ['timeout', this.#path] as const;
      this.#controller.abort(new FetchFailure({ code, detail: `${path}: ${waited}`, path }));
    }, ms);
  }
}
