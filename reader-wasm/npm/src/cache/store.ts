/**
 * What is known of a feed and its datasets: in this page, and between visits.
 *
 * The values that this page has read are held as they are, so that a dataset that has not changed is the same object in every
 * reading. What earlier visits have left is text or bytes, and is verified by the core like bytes from the network.
 *
 * @module
 */

import type { Tell, Trace } from '../events.js';
import { parseHead, parseMemory, type CoreReading, type Memory } from '../read/core.js';
import { within } from '../read/flights.js';
import type { Payload } from '../read/payload.js';
import type { Reading } from '../types.js';
import { Copies, isLater, LARGE, type Copy } from './copies.js';

/** How long a value waits for its copy to be written; then it is handed out, and the copy is written meanwhile. */
const HAND_OUT_MS = 200;

/** A value that this page has read, and what is known of it. */
interface Held {
  readonly head: string;
  readonly payload: Payload;
}

/** What is kept of one feed. */
export class Store {
  readonly #copies: Copies | null;
  readonly #trace: Trace;
  readonly #held = new Map<string, Held>();
  /** Beside the stored one, so that a replay is noticed in this page even where storage is blocked. */
  #memory: string | null = null;
  /** What was purged from the feed, as far as this page has seen. */
  #purged: ReadonlySet<string> = new Set();
  /** What is being written: of each dataset one copy after the other, so that the last to be read is the last to be kept. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(feed: string, cache: 'auto' | 'localStorage' | 'none', tell: Tell, trace: Trace) {
    this.#copies = cache === 'none' ? null : new Copies(feed, cache, tell);
    this.#trace = trace;
  }

  /** What is remembered of the feed: the later of what is stored and what this page has seen. */
  async memory(): Promise<string | null> {
    const stored = (await this.#copies?.memory()) ?? null;
    const [there, here] = [parsed(stored, parseMemory), parsed(this.#memory, parseMemory)];
    if (!there) return this.#memory;
    // Of two different feeds, one has replaced the other, and generations do not tell which. What is stored was written by the tab that
    // looked last, so it is taken.
    return here && here.feed === there.feed && here.generation > there.generation ? this.#memory : stored;
  }

  /** Keeps what was seen, unless another call or tab has seen more meanwhile. */
  remember(seen: string | null): Promise<void> {
    const now = parsed(seen, parseMemory);
    if (seen === null || !now) return Promise.resolve();
    const hasMore = (before: Memory | null) => before?.feed === now.feed && before.generation > now.generation;
    if (hasMore(parsed(this.#memory, parseMemory))) return Promise.resolve();
    this.#memory = seen;
    const kept = this.#inTurn('', async () => {
      const stored = (await this.#copies?.memory()) ?? null;
      if (!hasMore(parsed(stored, parseMemory))) await this.#copies?.keepMemory(seen);
    });
    return within(HAND_OUT_MS, kept, () => {});
  }

  /**
   * Drops every copy of payloads with these digests, of whichever dataset, unless this page has `seen` a later list meanwhile. They are
   * looked for once for each list, which is the same at most looks.
   */
  purge(digests: readonly string[] | null, seen: string | null): Promise<void> {
    const [before, now, here] = [this.#purged, parsed(seen, parseMemory), parsed(this.#memory, parseMemory)];
    if (now && here && here.feed === now.feed && here.generation > now.generation) return Promise.resolve();
    if (digests === null || (digests.length === before.size && digests.every((digest) => before.has(digest)))) {
      return Promise.resolve();
    }
    const purged = new Set(digests);
    this.#purged = purged;
    for (const [dataset, { payload }] of this.#held) if (purged.has(payload.sha256)) this.#held.delete(dataset);
    // After what is being written, which may be one of them.
    const writing = [...this.#turns.values()];
    const dropped = Promise.allSettled(writing).then(() => this.#copies?.purge(purged));
    return within(HAND_OUT_MS, dropped, () => {});
  }

  /** What is cached of a dataset. */
  async cached(dataset: string): Promise<Copy | null> {
    const here = this.#held.get(dataset);
    const head = (await this.#copies?.head(dataset)) ?? null;
    if (here) {
      const later = head !== null && isLater(head, here.head) ? head : null;
      // Confirmed by another tab since: the page keeps its object.
      if (later === null || parseHead(later)?.sha256 === here.payload.sha256) {
        return { head: later ?? here.head, load: () => Promise.resolve(here.payload) };
      }
    }
    return head === null ? null : ((await this.#copies?.find(dataset)) ?? null);
  }

  /** Keeps what was handed out, and says where for each. Whatever goes wrong with it is an event. */
  async keep(readings: readonly { core: CoreReading; payload: Payload }[]): Promise<Reading['cachedIn'][]> {
    const datasets = readings.map(({ core }) => core.dataset);
    const keeping = readings.map(({ core, payload }) => {
      const { dataset, head } = core;
      // Purged since the manifest was read that names it.
      if (this.#purged.has(core.sha256)) return Promise.resolve(null);
      const before = this.#held.get(dataset);
      if (!before || !isLater(before.head, head)) this.#held.set(dataset, { head, payload: held(payload) });
      const kept = this.#inTurn(dataset, () => this.#keepOne(core, payload, datasets));
      return within(HAND_OUT_MS, kept, () => null);
    });
    return Promise.all(keeping);
  }

  async #keepOne(core: CoreReading, payload: Payload, all: readonly string[]): Promise<Reading['cachedIn']> {
    if (!this.#copies) return null;
    const { dataset, sha256 } = core;
    const cachedIn = await this.#place(this.#copies, core, payload, all);
    const here = this.#held.get(dataset);
    if (here?.payload.sha256 === sha256) this.#held.set(dataset, { ...here, payload: { ...here.payload, cachedIn } });
    this.#trace?.(`${dataset}: ${cachedIn ? `a copy is in ${cachedIn}` : 'no copy is kept'}`);
    return cachedIn;
  }

  async #place(
    copies: Copies,
    core: CoreReading,
    payload: Payload,
    all: readonly string[],
  ): Promise<Reading['cachedIn']> {
    const { dataset, head, source, sha256 } = core;
    const stored = await copies.head(dataset);
    // Another call or tab may have read a later generation meanwhile.
    if (stored !== null && isLater(stored, head)) return null;
    if (source === 'network') return copies.keep(core, payload, all);
    // A copy that was removed to make room is not written again: two that have no room together would remove each other at every look.
    if (parsed(stored, parseHead)?.sha256 !== sha256) return null;
    const known = payload.cachedIn ?? this.#held.get(dataset)?.payload.cachedIn ?? (await copies.place(dataset, sha256));
    return known && (await copies.keepHead(dataset, head)) ? known : null;
  }

  /** Does it when what was begun before under the same key has ended. */
  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work);
    const end = () => {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    };
    const settled = turn.then(end, end);
    this.#turns.set(key, settled);
    return turn;
  }
}

/**
 * A payload for as long as the page needs its value. The text is there for those who want it parsed in another way; a large one goes where
 * the browser may put it on disk.
 */
function held(payload: Payload): Payload {
  const { bytes, text } = payload;
  const large = bytes !== null && typeof text === 'string' && text.length > LARGE;
  return { ...payload, bytes: null, text: large ? new Blob([bytes]) : text };
}

function parsed<T>(text: string | null, parse: (text: string) => T | null): T | null {
  return text === null ? null : parse(text);
}
