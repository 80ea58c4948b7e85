/**
 * What is kept between visits in Cache Storage: what does not fit localStorage, and everything where there is none.
 *
 * It may be absent (it is there on secure origins only), blocked, full or altered, and each of its operations can throw, reject or never
 * end. All of that is a miss and an event. Nothing read here is believed: the core compares the digest of every payload.
 *
 * @module
 */

import type { Tell } from '../events.js';
import { describe } from '../options.js';
import { within } from '../read/flights.js';
import { parseHead } from '../read/core.js';
import { payloadAddress, payloadOfAddress, SPACES, textAddress, textOfAddress, type PayloadKey, type Space } from './keys.js';

/** The name of the cache; its number is the version of the entries' form. */
const CACHE = 'lastgood:1';
/** What takes longer is taken for broken, and not asked again by this feed: every later read would wait as long. */
const READ_MS = 3_000;
/** Writing may take long on a slow disk, and nobody waits for it to the end. */
const WRITE_MS = 60_000;
/** A payload that is so new may wait for its head, which is written after it. */
const YOUNG_MS = 60_000;
const KEPT_AT = 'x-lastgood-kept-at';

/** Bytes, and the media type that they came with. */
export interface Blobbed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** lastgood's part of Cache Storage. */
export class Blobs {
  readonly space: Space;
  readonly #tell: Tell;
  /** Whether it does not answer. */
  #stuck = false;

  constructor(space: Space, tell: Tell) {
    this.space = space;
    this.#tell = tell;
  }

  /** Whether there is Cache Storage, as far as can be told without using it. */
  static exist(): boolean {
    try {
      return typeof globalThis.caches?.open === 'function';
    } catch {
      return false;
    }
  }

  payload(key: PayloadKey): Promise<Blobbed | null> {
    return this.#ask(READ_MS, async (cache) => {
      const found = await cache.match(payloadAddress(this.space, key));
      if (!found) return null;
      return { bytes: new Uint8Array(await found.arrayBuffer()), type: found.headers.get('content-type') ?? '' };
    });
  }

  /** @returns whether it was kept, and whatever hindered it */
  async putPayload(key: PayloadKey, { bytes, type }: Blobbed): Promise<{ kept: boolean; problem: unknown }> {
    const headers = { 'content-type': type, [KEPT_AT]: String(Date.now()) };
    const put = async (cache: Cache) => {
      try {
        await cache.put(payloadAddress(this.space, key), new Response(bytes, { headers }));
        return { kept: true, problem: null };
      } catch (problem) {
        if (isQuota(problem)) return { kept: false, problem };
        throw problem;
      }
    };
    return (await this.#ask(WRITE_MS, put)) ?? { kept: false, problem: null };
  }

  async removePayload(key: PayloadKey): Promise<void> {
    await this.#ask(WRITE_MS, (cache) => cache.delete(payloadAddress(this.space, key)));
  }

  /** The payloads of this space, and whether each is so new that its head may not be written yet. */
  async payloads(): Promise<(PayloadKey & { readonly young: boolean })[]> {
    const list = async (cache: Cache) => {
      const keys: (PayloadKey & { young: boolean })[] = [];
      for (const request of await cache.keys()) {
        const key = payloadOfAddress(this.space, request.url);
        if (!key) continue;
        const keptAt = Number((await cache.match(request))?.headers.get(KEPT_AT));
        // One from the future was kept before the clock was set right.
        keys.push({ ...key, young: Math.abs(Date.now() - keptAt) < YOUNG_MS });
      }
      return keys;
    };
    return (await this.#ask(WRITE_MS, list)) ?? [];
  }

  /**
   * Removes the payloads that have one of these digests, and the heads that name them; the heads' keys begin with `heads`. Also those
   * of workers, or of pages: they may not come again.
   */
  async purge(heads: string, digests: ReadonlySet<string>): Promise<void> {
    await this.#ask(WRITE_MS, async (cache) => {
      for (const request of await cache.keys()) {
        const head = textOfAddress(request.url)?.startsWith(heads) ? await (await cache.match(request))?.text() : undefined;
        const payload = SPACES.map((space) => payloadOfAddress(space, request.url)).find((key) => key?.headKey.startsWith(heads));
        if (digests.has(parseHead(head ?? '')?.sha256 ?? payload?.sha256 ?? '')) await cache.delete(request);
      }
    });
  }

  /** A head or a memory. */
  text(key: string): Promise<string | null> {
    return this.#ask(READ_MS, async (cache) => (await (await cache.match(textAddress(key)))?.text()) ?? null);
  }

  /** @returns whether it was kept */
  async putText(key: string, text: string): Promise<boolean> {
    const put = (cache: Cache) => cache.put(textAddress(key), new Response(text)).then(() => true);
    return (await this.#ask(WRITE_MS, put)) ?? false;
  }

  async removeText(key: string): Promise<void> {
    await this.#ask(WRITE_MS, (cache) => cache.delete(textAddress(key)));
  }

  async #ask<T>(ms: number, work: (cache: Cache) => Promise<T>): Promise<T | null> {
    if (this.#stuck) return null;
    try {
      const asked = (async () => work(await globalThis.caches.open(CACHE)))();
      return await within(ms, asked, () => {
        this.#stuck = true;
        throw new Error(`Cache Storage has not answered for ${ms} ms`);
      });
    } catch (thrown) {
      this.#tell({ type: 'cache-unavailable', detail: describe(thrown) });
      return null;
    }
  }
}

/** Whether storage is full. The second name is that of older Firefox. */
export function isQuota(thrown: unknown): boolean {
  const name = (thrown as Partial<Error> | null)?.name;
  return name === 'QuotaExceededError' || name === 'NS_ERROR_DOM_QUOTA_REACHED';
}
