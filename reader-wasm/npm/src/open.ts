import { LastgoodError } from './errors.js';
import { OpenFeed } from './feed.js';
import { Early } from './read/early.js';
import { parseOpenOptions } from './options.js';
import type { Datasets, Feed, OpenOptions } from './types.js';
import { isLoading, load, loadValidator, type Origins } from './wasm.js';

/** Opens a feed with the modules that an entry of the package knows. */
export function openWith<D extends Datasets>(
  origins: Origins,
  url: string | URL,
  options: OpenOptions<D> | undefined,
): Promise<Feed<D>> {
  const begin = async (): Promise<Feed<D>> => {
    const address = feedAddress(url);
    const parsed = parseOpenOptions(options);
    const validator = () => loadValidator(options?.validator, origins.validator);
    // Beside the download of the module, and not when it is there already: then the first read is soon enough.
    const early = isLoading() ? null : new Early(address, parsed, parsed.preload);
    // Its failure is seen when it is needed.
    if (parsed.preload.length > 0) void validator().catch(() => {});
    await load(options?.wasm, origins.reader);
    early?.ready();
    const feed = new OpenFeed(address, parsed, early, validator) as unknown as Feed<D>;
    // As React's `use` does it, so that a component has the feed in its first render.
    Object.assign(opening, { status: 'fulfilled', value: feed });
    return feed;
  };
  const opening = begin();
  // A server that renders the page calls this with the page's relative address, and nobody may await it there: no reason to end the
  // process.
  if (globalThis.location === undefined) opening.catch(() => {});
  return opening;
}

function feedAddress(given: string | URL): string {
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
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    refuse(`expected http or https, found ${url.protocol}`);
  }
  if (url.username || url.password) {
    refuse('browsers refuse requests to addresses with a user name or a password');
  }
  if (url.search || url.hash) {
    refuse(`leave out "${url.search}${url.hash}": the names of files are put behind the address`);
  }
  if (url.pathname.endsWith('/manifest.json')) {
    refuse(`expected the directory of the feed: "${new URL('.', url)}"`);
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}
