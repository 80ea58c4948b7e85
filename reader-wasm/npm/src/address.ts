/**
 * Where a feed is.
 *
 * @module
 */

import { LastgoodError } from './errors.js';

/** A file of a feed, or a page, in the place of a directory. */
const FILE = /\/[^/]*\.(?:json|html?|txt|lock)$|\/\.[a-z0-9_-]*lock$/;
/** What the parser of addresses takes for a protocol. */
const HOST_WITH_PORT = /^[a-z0-9.-]+:\d+(?:\/|$)/i;

/**
 * The address of a feed's directory, with a slash at the end.
 *
 * @throws {LastgoodError} `invalid-url`, and what to write instead
 */
export function feedAddress(given: string | URL): string {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new LastgoodError(`cannot read a feed at "${given}": ${problem}`, { code: 'invalid-url', cause });
  };
  let url: URL;
  try {
    // Anything else would be turned into text and taken for a directory: "undefined".
    if (typeof given !== 'string' && !(given instanceof URL)) throw new TypeError(`found ${typeof given}`);
    url = new URL(given, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (error) {
    return refuse(
      'expected an address such as "/data/" or "https://example.org/data/"; outside a page it must be absolute',
      error,
    );
  }
  if (url.protocol === 'file:') {
    refuse('expected http or https, found file:, which browsers do not read: open the page through a server, such as lastgood serve');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const meant = HOST_WITH_PORT.test(String(given)) ? `: write "http://${given}"` : '';
    refuse(`expected http or https, found ${url.protocol}${meant}`);
  }
  if (url.username || url.password) {
    refuse('browsers refuse requests to addresses with a user name or a password');
  }
  if (url.search || url.hash) {
    refuse(`leave out "${url.search}${url.hash}": the names of files are put behind the address`);
  }
  if (FILE.test(url.pathname)) {
    refuse(`expected the directory of the feed, which has the manifest.json: "${new URL('.', url)}"`);
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

/** So many feeds of one address within so long are not wanted by anybody. */
const MANY = 20;
const SOON_MS = 10_000;

/** When feeds were opened, by address: the last {@link MANY}. */
const openings = new Map<string, number[]>();

/** Warns, once for an address, of what a component does that opens a feed in each render. */
export function noteOpening(address: string): void {
  const times = openings.get(address) ?? [];
  openings.set(address, times);
  if (times.length === MANY) return;
  const now = performance.now();
  const recent = [...times.filter((time) => now - time < SOON_MS), now];
  times.splice(0, Infinity, ...recent);
  if (recent.length < MANY) return;
  console.warn(
    `lastgood: open("${address}") was called ${MANY} times within ${SOON_MS / 1000} seconds. ` +
      'Call it once, beside the components and not in one: each call opens another feed, which begins with nothing',
  );
}
