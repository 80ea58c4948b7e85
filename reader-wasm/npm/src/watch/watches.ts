/** All watches of one feed: one look serves them all. */

import { LastgoodError } from '../errors.js';
import type { FeedEvent } from '../types.js';
import type { Clock } from './clock.js';
import type { PageScope } from './page.js';
import { Page } from './page.js';
import type { Verdict } from './poller.js';
import { Poller } from './poller.js';
import type { Failure, MakeResponses, SharedResponses, Told } from './responses.js';
import type { TabsOptions } from './tabs.js';
import { Tabs } from './tabs.js';
import type { Subject } from './watch.js';
import { Watch } from './watch.js';

/** What the watches of a feed have around them. */
export interface Surroundings {
  readonly minIntervalMs: number;
  readonly clock: Clock;
  readonly page: PageScope;
  /** How tabs find each other; `null` when each polls on its own. */
  readonly tabs: Pick<TabsOptions, 'name' | 'elect' | 'openChannel'> | null;
  readonly tell: (event: FeedEvent) => void;
  readonly responses: MakeResponses;
}

/** A look under way. Watches that begin meanwhile take part in it. */
interface Look {
  readonly responses: SharedResponses;
  readonly heard: boolean;
  /** For each watch that takes part, whether the look said anything to it. */
  readonly parts: Map<Watch, Promise<boolean>>;
}

/** What is there while anything is watched. */
interface Signals {
  readonly page: Page;
  readonly tabs: Tabs | null;
}

export class Watches {
  readonly #around: Surroundings;
  readonly #watches = new Set<Watch>();
  readonly #poller: Poller;
  #signals: Signals | null = null;
  #look: Look | null = null;
  /** The responses of the last look of our own. */
  #responses: SharedResponses | null = null;
  #closed = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#poller = new Poller(
      () => this.#lookAt(around.responses(), false),
      () => ({ intervalMs: this.#intervalMs(), minIntervalMs: around.minIntervalMs }),
      around.clock,
    );
  }

  /** Begins a watch; the returned function ends it. */
  add(subject: Subject, signal: AbortSignal | null): () => void {
    const end = (): void => watch.end();
    const onEnd = (): void => {
      signal?.removeEventListener('abort', end);
      this.#remove(watch);
      subject.onEnd();
    };
    const watch = new Watch({ ...subject, onEnd }, this.#around.clock);
    if (this.#closed || signal?.aborted === true) {
      watch.end();
      return end;
    }
    signal?.addEventListener('abort', end);
    this.#watches.add(watch);
    this.#signals ??= this.#listen();
    this.#begin(watch);
    return end;
  }

  /** Looks at the feed now; see {@link Poller.refresh}. */
  async refresh(): Promise<void> {
    if (!this.#closed && this.#watches.size > 0) await this.#poller.refresh();
    if (this.#closed) throw new LastgoodError('the feed was closed', { code: 'closed' });
  }

  /** Ends all watches. */
  close(): void {
    this.#closed = true;
    for (const watch of [...this.#watches]) watch.end();
  }

  /** Gets a watch its first reading. */
  #begin(watch: Watch): void {
    if (this.#look !== null) {
      this.#takePart(watch, this.#look);
    } else if (this.#responses !== null && this.#poller.sinceLookMs < this.#around.minIntervalMs) {
      // The server was asked a moment ago, and is not to be asked again so soon.
      void this.#lookLate(watch, this.#responses);
    } else {
      // Even while hidden: a page that is opened in the background should be there when it is looked at.
      void this.#poller.refresh();
    }
  }

  #remove(watch: Watch): void {
    if (!this.#watches.delete(watch)) return;
    if (this.#watches.size > 0) return;
    this.#poller.stop();
    this.#responses = null;
    this.#signals?.page.end();
    this.#signals?.tabs?.leave();
    this.#signals = null;
  }

  async #lookAt(responses: SharedResponses, heard: boolean): Promise<Verdict | null> {
    const look: Look = { responses, heard, parts: new Map() };
    this.#look = look;
    for (const watch of this.#watches) this.#takePart(watch, look);
    let saidAnything = false;
    // A map can grow while it is gone through.
    for (const part of look.parts.values()) saidAnything = (await part) || saidAnything;
    this.#look = null;
    if (!heard) this.#responses = responses;
    const told = (await responses.told()) ?? null;
    // Last: by now what was downloaded is in the cache, where the other tabs look for it before they download it
    // themselves.
    if (!heard && told !== null) this.#signals?.tabs?.tell(told);
    return heard && !saidAnything ? null : this.#verdict(told);
  }

  /** What all watches say together, after a look with these responses. */
  #verdict(told: Told | null): Verdict {
    const verdicts = [...this.#watches].map(({ verdict }) => verdict).filter((verdict) => verdict !== null);
    return combined(verdicts, told !== null && 'code' in told.manifest ? told.manifest : null);
  }

  async #lookLate(watch: Watch, responses: SharedResponses): Promise<void> {
    await watch.look(responses, false);
    this.#poller.amend(this.#verdict((await responses.told()) ?? null));
  }

  #takePart(watch: Watch, { parts, responses, heard }: Look): void {
    if (!parts.has(watch)) parts.set(watch, watch.look(responses, heard));
  }

  #listen(): Signals {
    const { page: scope, tabs: options, tell } = this.#around;
    const page = new Page((focused) => this.#follow(focused), scope);
    const onLead = (leading: boolean): void => {
      this.#poller.leading = leading;
      tell({ type: 'leader', leading });
    };
    const onTold = (told: Told): void => this.#poller.hear(() => this.#lookAt(this.#around.responses(told), true));
    const tabs = options && new Tabs({ ...options, onLead, onTold });
    this.#poller.leading = tabs === null;
    this.#signals = { page, tabs };
    this.#follow(false);
    return this.#signals;
  }

  /** Does what the page's state asks for. */
  #follow(focused: boolean): void {
    if (this.#signals === null) return;
    const { page, tabs } = this.#signals;
    const { active, online } = page.state;
    this.#poller.online = online;
    if (active) {
      tabs?.join();
      this.#poller.resume();
      // A page gets the focus when it is opened, too, and has just looked then.
      if (focused && this.#poller.sinceLookMs >= this.#around.minIntervalMs) this.#poller.wake();
    } else {
      this.#poller.pause();
      tabs?.leave();
    }
  }

  #intervalMs(): number {
    return Math.min(...[...this.#watches].map(({ intervalMs }) => intervalMs));
  }
}

/** What the verdicts of all watches say together; `unread` when the manifest itself could not be had. */
function combined(verdicts: readonly Verdict[], unread: Failure | null): Verdict {
  if (verdicts.some(({ kind }) => kind === 'locked')) return { kind: 'locked' };
  const tooOldAt = extreme(Math.min, verdicts.map((verdict) => ('tooOldAt' in verdict ? verdict.tooOldAt : null)));
  const failures = verdicts.filter((verdict) => verdict.kind === 'failed');
  // As long as something can be read, the feed is as it should be, and it is left to the interval to try the rest
  // again.
  if (unread === null && failures.length < verdicts.length) return { kind: 'answered', tooOldAt };
  const pleas = [unread?.retryAfterMs ?? null, ...failures.map(({ retryAfterMs }) => retryAfterMs)];
  return { kind: 'failed', tooOldAt, retryAfterMs: extreme(Math.max, pleas) };
}

function extreme(pick: (...values: number[]) => number, values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : pick(...known);
}
