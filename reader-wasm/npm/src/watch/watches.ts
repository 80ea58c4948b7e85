/** All watches of one feed: one look serves them all. */

import { LastgoodError } from '../errors.js';
import type { FeedEvent } from '../types.js';
import { MAX_TIMER_MS, type Clock } from './clock.js';
import type { PageScope } from './page.js';
import { Page } from './page.js';
import type { Verdict } from './poller.js';
import { allowedMs, Poller } from './poller.js';
import type { Failure, MakeResponses, SharedResponses, Told } from './responses.js';
import type { TabsOptions } from './tabs.js';
import { Tabs } from './tabs.js';
import type { Subject } from './watch.js';
import { Watch } from './watch.js';

/** What the watches of a feed have around them. */
export interface Surroundings {
  /** The interval where nothing is watched. */
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly clock: Clock;
  readonly page: PageScope;
  /** How tabs find each other; `null` when each polls on its own. */
  readonly tabs: Pick<TabsOptions, 'name' | 'elect' | 'openChannel'> | null;
  readonly tell: (event: FeedEvent) => void;
  readonly responses: MakeResponses;
  /** Told when the last look is too long ago. */
  readonly aged: () => void;
}

/** A look under way. Watches that begin meanwhile take part in it. */
interface Look {
  readonly responses: SharedResponses;
  readonly heard: boolean;
  /** Whether the lock marker is asked for: then all that take part heed it. */
  asksLock: boolean;
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
  /** Calls off what is to be done when the last look is too long ago. */
  #cancelAging: (() => void) | null = null;
  #closed = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#poller = new Poller(
      () => this.#lookAt(around.responses(), { heard: false, asksLock: this.#wantLock() }),
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

  /** How long ago the last look may be for what it has found to be taken for current. */
  get allowedMs(): number {
    return allowedMs({ intervalMs: this.#intervalMs(), minIntervalMs: this.#around.minIntervalMs });
  }

  /** Takes the responses that a call of this page has got: what it has seen, all watches have. */
  see(responses: SharedResponses, asksLock: boolean): void {
    if (this.#watches.size > 0) this.#poller.see(() => this.#lookAt(responses, { heard: true, asksLock }));
  }

  /** Whether anything is watched. */
  get isUsed(): boolean {
    return this.#watches.size > 0;
  }

  /** The feed was looked at. Where that was for all watches, each is told when its own part has ended, unless all of them have failed. */
  looked(failed: boolean): void {
    if (this.#look === null || failed) this.#rejudge();
  }

  /** What was shown must not be shown again; each watch reads anew. */
  forget(): void {
    for (const watch of this.#watches) watch.forget();
    this.#responses = null;
    if (this.#watches.size > 0) void this.#poller.refresh();
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
    this.#look?.responses.end();
    this.#responses?.end();
    this.#responses = null;
    this.#signals?.page.end();
    this.#signals?.tabs?.leave();
    this.#signals = null;
    this.#cancelAging?.();
  }

  async #lookAt(
    responses: SharedResponses,
    { heard, asksLock }: Pick<Look, 'heard' | 'asksLock'>,
  ): Promise<Verdict | null> {
    const look: Look = { responses, heard, asksLock, parts: new Map() };
    this.#look = look;
    for (const watch of this.#watches) this.#takePart(watch, look);
    let saidAnything = false;
    // A map can grow while it is gone through.
    for (const part of look.parts.values()) saidAnything = (await part) || saidAnything;
    if (look.asksLock && !asksLock) await this.#heedLock(responses);
    this.#look = null;
    this.#rejudge();
    if (!heard) this.#responses = this.#watches.size > 0 ? responses : null;
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
    await watch.look(responses, false, watch.wantsLock);
    await this.#heedLock(responses);
    this.#poller.amend(this.#verdict((await responses.told()) ?? null));
  }

  #takePart(watch: Watch, look: Look): void {
    const { parts, responses, heard } = look;
    if (parts.has(watch)) return;
    // One that begins during a look of our own asks for the marker, if nobody has.
    look.asksLock ||= !heard && watch.wantsLock;
    parts.set(watch, watch.look(responses, heard, look.asksLock));
  }

  /** What one watch has found to be locked, all others find too: the marker is answered by now. */
  async #heedLock(responses: SharedResponses): Promise<void> {
    const watches = [...this.#watches];
    if (!watches.some(({ isLocked }) => isLocked)) return;
    await Promise.all(watches.filter(({ isLocked }) => !isLocked).map((watch) => watch.look(responses, false, true)));
  }

  #wantLock(): boolean {
    return [...this.#watches].some(({ wantsLock }) => wantsLock);
  }

  /** Tells all watches what the last look says, and again when that is too long ago. */
  #rejudge(): void {
    this.#cancelAging?.();
    for (const watch of [...this.#watches]) watch.rejudge();
    if (!this.#signals?.page.state.active) return;
    const ms = Math.min(this.allowedMs + 1, MAX_TIMER_MS);
    this.#cancelAging = this.#around.clock.after(ms, () => {
      this.#around.aged();
      for (const watch of [...this.#watches]) watch.rejudge();
    });
  }

  #listen(): Signals {
    const { page: scope, tabs: options, tell } = this.#around;
    const page = new Page((focused) => this.#follow(focused), scope);
    const onLead = (leading: boolean): void => {
      this.#poller.leading = leading;
      tell({ type: 'leader', leading });
    };
    const onTold = (told: Told): void => {
      const how = { heard: true, asksLock: told.lock !== null };
      this.#poller.hear(() => this.#lookAt(this.#around.responses(told), how));
    };
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
      // What was found before the page was put aside may be long ago.
      this.#rejudge();
      tabs?.join();
      this.#poller.resume();
      // A page gets the focus when it is opened, too, and has just looked then.
      if (focused && this.#poller.sinceLookMs >= this.#around.minIntervalMs) this.#poller.wake();
    } else {
      this.#poller.pause();
      this.#cancelAging?.();
      tabs?.leave();
    }
  }

  #intervalMs(): number {
    if (this.#watches.size === 0) return this.#around.intervalMs;
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
