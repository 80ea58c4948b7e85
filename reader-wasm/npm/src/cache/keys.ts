/**
 * The keys of lastgood in the stores that an origin's pages and workers share.
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

/** Whose heads name a payload in Cache Storage: those in localStorage, or those beside it. Neither knows of the other's. */
export type Space = 'local' | 'own';
export const SPACES: readonly Space[] = ['local', 'own'];

/**
 * The address of what is in Cache Storage. A service worker that answers from all caches of its origin looks for what pages ask for, and
 * none asks for anything of a host that can never exist (RFC 2606).
 */
const ADDRESS = 'https://lastgood.invalid/1/';
const TEXT_ADDRESS = `${ADDRESS}own/text?`;
const PAYLOAD_ADDRESS = new RegExp(`^${ADDRESS.replaceAll('.', '\\.')}(local|own)/([0-9a-f]{64})\\?(.+)$`);

/** A payload in Cache Storage. */
export interface PayloadKey {
  /** The key of the head that it was kept with. */
  readonly headKey: string;
  readonly sha256: string;
}

/**
 * Where a payload is in Cache Storage: under its digest, so that no payload ever takes the place of another, and a head that names it
 * finds it or nothing.
 */
export function payloadAddress(space: Space, { headKey, sha256 }: PayloadKey): string {
  return `${ADDRESS}${space}/${sha256}?${encodeURIComponent(headKey)}`;
}

/** The payload of an address; nothing for another space's or any other address. */
export function payloadOfAddress(space: Space, address: string): PayloadKey | null {
  const [, found, sha256 = '', headKey = ''] = PAYLOAD_ADDRESS.exec(address) ?? [];
  return found === space ? { headKey: decodeURIComponent(headKey), sha256 } : null;
}

/** Where a head or a memory is in Cache Storage. */
export function textAddress(key: string): string {
  return TEXT_ADDRESS + encodeURIComponent(key);
}

/** The key of a head or a memory at an address; nothing for any other address. */
export function textOfAddress(address: string): string | null {
  return address.startsWith(TEXT_ADDRESS) ? decodeURIComponent(address.slice(TEXT_ADDRESS.length)) : null;
}
