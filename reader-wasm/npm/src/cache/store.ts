/**
 * What is known of a feed and its datasets: in this page, and between visits.
 *
 * The values that this page has read are held as they are, so that a dataset that has not changed is the same object in every
 * reading. What earlier visits have left is text, and is verified by the core like bytes from the network.
 *
 * @module
 */

import type { Tell } from '../events.js';
import { parseHead, parseMemory, type CoreReading } from '../read/core.js';
import { readJson, type Payload } from '../read/payload.js';
import { encoded } from '../read/utf8.js';
import type { Reading } from '../types.js';
import { LocalStore } from './local.js';

/** A value that this page has read, and what is known of it. */
export interface Held {
  readonly head: string;
  readonly payload: Payload;
  readonly cachedIn: Reading['cachedIn'];
}

/** What is cached of one dataset when a read begins. */
export interface Cached {
  /** What is known of the copy, as the core has encoded it. */
  readonly head: string;
  /** Loads the copy; nothing when it is gone. */
  load(): Promise<Payload | null>;
}

/** What is kept of one feed. */
export class Store {
  readonly #local: LocalStore | null;
  readonly #tell: Tell;
  readonly #held = new Map<string, Held>();
  /** Beside the stored one, so that a replay is noticed in this page even where storage is blocked. */
  #memory: string | null = null;

  constructor(feed: string, cache: 'auto' | 'localStorage' | 'none', tell: Tell) {
    this.#local = cache === 'none' ? null : new LocalStore(feed, tell);
    this.#tell = tell;
  }

  /** What is remembered of the feed: the later of what is stored and what this page has seen. */
  memory(): string | null {
    const stored = this.#local?.memory() ?? null;
    const [there, here] = [parsed(stored, parseMemory), parsed(this.#memory, parseMemory)];
    if (!there) return this.#memory;
    // Of two different feeds, one has replaced the other, and generations do not tell which. What is stored was written by the tab that
    // looked last, so it is taken.
    return here && here.feed === there.feed && here.generation > there.generation ? this.#memory : stored;
  }

  /** Keeps what was seen, unless another call or tab has seen more meanwhile. */
  remember(seen: string | null): void {
    const [before, now] = [parsed(this.memory(), parseMemory), parsed(seen, parseMemory)];
    if (seen === null || !now || (before && before.feed === now.feed && before.generation > now.generation)) return;
    this.#local?.keepMemory(seen);
    this.#memory = seen;
  }

  /** What is cached of a dataset. */
  cached(dataset: string): Cached | null {
    const here = this.#held.get(dataset);
    const head = this.#local?.head(dataset) ?? null;
    if (here && (head === null || !isLater(head, here.head))) {
      return { head: here.head, load: () => Promise.resolve(here.payload) };
    }
    // Confirmed by another tab since: the page keeps its object.
    if (here && head !== null && parseHead(head)?.sha256 === here.payload.sha256) {
      return { head, load: () => Promise.resolve(here.payload) };
    }
    const entry = head === null ? null : (this.#local?.entry(dataset) ?? null);
    if (!entry) return null;
    if (!parseHead(entry.head)) return this.#corrupt(dataset, 'what is known of the cached copy cannot be read');
    const { text } = entry;
    if (text === null) return this.#corrupt(dataset, 'the cached copy is gone');
    return { head: entry.head, load: () => this.#verify(dataset, entry.head, text) };
  }

  /** Keeps what was handed out, and says where for each. Whatever goes wrong with it is an event. */
  keep(readings: readonly { core: CoreReading; payload: Payload }[]): Reading['cachedIn'][] {
    const datasets = readings.map(({ core }) => core.dataset);
    return readings.map(({ core, payload }) => {
      const cachedIn = this.#keepOne(core, payload, datasets);
      const held = this.#held.get(core.dataset);
      if (!held || !isLater(held.head, core.head)) {
        this.#held.set(core.dataset, { head: core.head, payload: { ...payload, bytes: null }, cachedIn });
      }
      return cachedIn;
    });
  }

  #keepOne({ dataset, head, source, sha256 }: CoreReading, payload: Payload, all: readonly string[]): Reading['cachedIn'] {
    if (!this.#local) return null;
    const stored = this.#local.head(dataset);
    // Another call or tab may have read a later generation meanwhile.
    if (stored !== null && isLater(stored, head)) return null;
    if (source !== 'network' && parsed(stored, parseHead)?.sha256 === sha256) {
      return this.#local.keepHead(dataset, head) ? 'localStorage' : null;
    }
    if (source === 'fallback') return null;
    if (payload.text === null) return null;
    const outcome = this.#local.keep(dataset, head, payload.text, all);
    if (outcome.kept) return 'localStorage';
    if (outcome.full !== null) this.#tell({ type: 'cache-full', dataset, detail: outcome.full });
    return null;
  }

  /**
   * A cached text goes the way of bytes from the network, so that the value is made of what was hashed: an altered text may hold
   * what UTF-8 cannot, such as half a surrogate pair.
   */
  async #verify(dataset: string, head: string, text: string): Promise<Payload> {
    const known = parseHead(head);
    const payload = await readJson(encoded(text, known?.size ?? 0));
    if (payload.sha256 !== known?.sha256) this.#corrupt(dataset, 'the cached copy has been altered');
    return payload;
  }

  #corrupt(dataset: string, detail: string): null {
    this.#tell({ type: 'cache-corrupt', dataset, detail });
    return null;
  }
}

/** Whether a head is of a later generation of the same feed than another. */
function isLater(head: string, other: string): boolean {
  const [one, two] = [parseHead(head), parseHead(other)];
  return one !== null && two !== null && one.feed === two.feed && one.confirmed > two.confirmed;
}

function parsed<T>(text: string | null, parse: (text: string) => T | null): T | null {
  return text === null ? null : parse(text);
}
