/**
 * The keys of lastgood in a store that an origin's pages share.
 *
 * For each feed there is the memory of it, for each dataset a head, and apart from it the payload, so that a confirmation or a
 * use rewrites a few hundred bytes and not the payload. Dataset names have no colon and no slash and feed addresses end in a slash, so no
 * two keys collide.
 *
 * @module
 */

/** The beginning of every key; its number is the version of the entries' form. */
const PREFIX = 'lastgood:1:';
const PAYLOAD = ':payload';

/** Where the memory of a feed is kept; `feed` is its address. */
export function memoryKey(feed: string): string {
  return PREFIX + feed;
}

/** Where the head of a dataset is kept. */
export function headKey(feed: string, dataset: string): string {
  return `${PREFIX}${feed}:${dataset}`;
}

/** Where the payload that belongs to a head is kept. */
export function payloadKey(headKey: string): string {
  return headKey + PAYLOAD;
}

/** The key of the head that belongs to a payload's key; nothing for any other key. */
export function headOfPayload(key: string): string | null {
  if (!key.startsWith(PREFIX) || !key.endsWith(PAYLOAD)) return null;
  const head = key.slice(0, -PAYLOAD.length);
  // The head of a dataset that is itself called "payload" ends in the same way, but has no dataset before it.
  return /\/:[a-z0-9][a-z0-9_-]{0,63}$/.test(head) ? head : null;
}

/** The name of the dataset that a head's key is for. */
export function datasetOfHead(headKey: string): string {
  return headKey.slice(headKey.lastIndexOf(':') + 1);
}
