import { feedAddress, noteOpening } from './address.js';
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
    noteOpening(address);
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
