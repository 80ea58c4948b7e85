/** The feed, opened by the first reading that needs it. */

import type { Feed, Reading } from 'lastgood';

export class LazyFeed {
  readonly #openOnce: () => Promise<Feed>;
  #opening: Promise<Feed> | null = null;
  #url: string | null = null;

  constructor(open: () => Promise<Feed>) {
    this.#openOnce = open;
  }

  /** The feed's full address, once it is open. */
  get url(): string | null {
    return this.#url;
  }

  async read(name: string): Promise<Reading> {
    const feed = await this.#open();
    return feed.read(name);
  }

  /** Opens once for all readers; after a failure, the next reading tries again. */
  async #open(): Promise<Feed> {
    this.#opening ??= this.#openOnce();
    const opening = this.#opening;
    try {
      const feed = await opening;
      this.#url = feed.url;
      return feed;
    } catch (error) {
      if (this.#opening === opening) this.#opening = null;
      throw error;
    }
  }
}
