/**
 * One tab polls for all tabs of an origin that watch a feed: it leads, and waits half as long as the others. Whichever
 * tab looks, it tells the others what the server answered. They make their readings of that as they would of answers of
 * their own, with every check; so a tab believes another one no more than it believes a server.
 */

import type { Told } from './responses.js';
import type { Election } from './election.js';
import { decode, encode } from './message.js';

/** What {@link Tabs} needs of the BroadcastChannel. */
export type Channel = Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>;

export interface TabsOptions {
  /** Tabs with the same name share what they see. */
  readonly name: string;
  readonly elect: Election;
  readonly openChannel: (name: string) => Channel;
  readonly onLead: (leading: boolean) => void;
  readonly onTold: (told: Told) => void;
}

export class Tabs {
  readonly #options: TabsOptions;
  #joined: { readonly channel: Channel; readonly candidacy: AbortController } | null = null;
  #leading = false;

  constructor(options: TabsOptions) {
    this.#options = options;
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Takes part. */
  join(): void {
    if (this.#joined !== null) return;
    const { name, elect, openChannel, onTold } = this.#options;
    const channel = openChannel(name);
    const candidacy = new AbortController();
    this.#joined = { channel, candidacy };
    channel.onmessage = ({ data }) => {
      const told = decode(data);
      if (told !== null) onTold(told);
    };
    elect(name, candidacy.signal, (leading) => {
      if (!candidacy.signal.aborted) this.#lead(leading);
    });
  }

  /**
   * Takes part no more, until {@link join}: another tab leads. Nothing is left open, because a page that holds a lock
   * or a channel may not be kept for the back button.
   */
  leave(): void {
    if (this.#joined === null) return;
    const { channel, candidacy } = this.#joined;
    this.#joined = null;
    candidacy.abort();
    channel.close();
    this.#lead(false);
  }

  /** Tells the other tabs. */
  tell(told: Told): void {
    this.#joined?.channel.postMessage(encode(told));
  }

  #lead(leading: boolean): void {
    if (this.#leading === leading) return;
    this.#leading = leading;
    this.#options.onLead(leading);
  }
}
