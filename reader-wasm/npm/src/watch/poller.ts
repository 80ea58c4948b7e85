/** When to look again. Knows nothing of feeds and pages. */

import type { Clock } from './clock.js';

/** How a look went, as far as the next one is concerned. */
export type Verdict =
  /**
   * The server answered. `tooOldAt`: what was handed out becomes too old then, by {@link Clock.now}, unless a look
   * confirms it.
   */
  | { readonly kind: 'answered'; readonly tooOldAt: number | null }
  /** A commit is in progress: worth another look soon. */
  | { readonly kind: 'locked' }
  /** The server could not be read. `retryAfterMs`: it asks to be left alone for so long. */
  | { readonly kind: 'failed'; readonly tooOldAt: number | null; readonly retryAfterMs: number | null };

/** Looks; `null` when that said nothing. Must not reject. */
export type Look = () => Promise<Verdict | null>;

export interface Timing {
  readonly intervalMs: number;
  readonly minIntervalMs: number;
}

/** The interval is varied by so much either way, so that pages which were opened together drift apart. */
const JITTER = 0.1;
/** A commit takes milliseconds, a command under `lastgood lock` minutes: ask often at first, then seldom. */
const FIRST_LOCK_WAIT_MS = 100;
const LAST_LOCK_WAIT_MS = 2_000;
/** Most failures pass at once; those that last must not be met with many pages asking in step. */
const FIRST_BACKOFF_MS = 2_000;
const LAST_BACKOFF_MS = 300_000;
/** A wrong `Retry-After` must not silence a page for a day. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** Who is told by another tab waits so much longer before asking by itself. */
const FOLLOWER_PATIENCE = 2;

/** How long ago the last look may be for what it has found to be taken for current: as long as the next one is not late. */
export function allowedMs({ intervalMs, minIntervalMs }: Timing): number {
  return FOLLOWER_PATIENCE * (1 + JITTER) * Math.max(intervalMs, minIntervalMs);
}

/** The wait after the `nth` verdict of its kind in a row (from 1). */
export function waitAfter(kind: Verdict['kind'], nth: number, intervalMs: number, random: number): number {
  const doubled = (first: number, last: number): number => Math.min(last, first * 2 ** (nth - 1));
  switch (kind) {
    case 'answered':
      return intervalMs * (1 - JITTER + 2 * JITTER * random);
    case 'locked':
      return doubled(FIRST_LOCK_WAIT_MS, LAST_LOCK_WAIT_MS);
    case 'failed': {
      // A page that asks every hour when all is well does not ask more often for long when it is not.
      const full = doubled(Math.min(FIRST_BACKOFF_MS, intervalMs), Math.max(LAST_BACKOFF_MS, intervalMs));
      return full * (1 - random / 2);
    }
  }
}

/** Repeats one task for as long as it is wanted, never twice at once. */
export class Poller {
  readonly #look: Look;
  readonly #timing: () => Timing;
  readonly #clock: Clock;
  #active = false;
  #online = true;
  #leading = true;
  #looking = false;
  #cancel: (() => void) | null = null;
  /** When the last look of our own began. */
  #began = -Infinity;
  #ended = -Infinity;
  /** How the last look ended; `null` before the first one. */
  #verdict: Verdict | null = null;
  #inARow = 0;
  #random = 0;
  /** Something happened that asks for a look before its time. */
  #woken = false;
  /** What this page has seen meanwhile, to be taken after the look under way. */
  #seen: Look | null = null;
  /** Those who wait for the end of a look that has yet to begin. */
  #requests: (() => void)[] = [];

  /** `timing` is asked whenever a look is planned, and when one seems due. */
  constructor(look: Look, timing: () => Timing, clock: Clock) {
    this.#look = look;
    this.#timing = timing;
    this.#clock = clock;
  }

  /** Milliseconds since the last look of our own began. */
  get sinceLookMs(): number {
    return this.#clock.now() - this.#began;
  }

  /** Begins or goes on; looks at once if it was paused. */
  resume(): void {
    if (this.#active) return;
    this.#active = true;
    this.wake();
  }

  /** Begins no further look by itself until {@link resume}. */
  pause(): void {
    this.#active = false;
    this.#plan();
  }

  /** Looks as soon as the minimum interval and the server's `Retry-After` allow, as a new attempt. */
  wake(): void {
    this.#woken = true;
    this.#inARow = 0;
    this.#plan();
  }

  /**
   * Offline, a failed look is not repeated; one that succeeds all the same (an own server, a wrong report) counts
   * more.
   */
  set online(online: boolean) {
    if (this.#online === online) return;
    this.#online = online;
    this.wake();
  }

  /** Who does not lead waits longer, because it expects to {@link hear}. */
  set leading(leading: boolean) {
    this.#leading = leading;
    this.#plan();
  }

  /**
   * Looks as soon as the minimum interval allows, even when paused; resolves at the end of that look. One in progress
   * does not count: it may have read the manifest before the caller knew of a change.
   */
  refresh(): Promise<void> {
    return new Promise((resolve) => {
      this.#requests.push(resolve);
      this.#plan();
    });
  }

  /** Takes what another tab saw for a look, which moves the next one of our own. Ignored while paused or looking. */
  hear(look: Look): void {
    if (this.#active && !this.#looking) void this.#run(look);
  }

  /** Takes what this page has seen by other means, whatever it is doing. */
  see(look: Look): void {
    if (this.#looking) this.#seen = look;
    else void this.#run(look);
  }

  /** Takes back the last verdict for another one, found out since. */
  amend(verdict: Verdict): void {
    if (this.#verdict === null) return;
    this.#verdict = verdict;
    this.#plan();
  }

  /** Ends everything; those who wait for a look are let go. */
  stop(): void {
    const requests = this.#requests.splice(0);
    this.#seen = null;
    this.pause();
    for (const done of requests) done();
  }

  #plan(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#looking) return;
    const waitMs = this.#due() - this.#clock.now();
    if (waitMs <= 0) {
      void this.#lookNow();
    } else if (waitMs !== Infinity) {
      // Planned anew when the time has come: timers fire early by a fraction, and late after a sleep.
      this.#cancel = this.#clock.after(waitMs, () => this.#plan());
    }
  }

  /** When the next look is due. */
  #due(): number {
    const { intervalMs, minIntervalMs } = this.#timing();
    const allowed = this.#began + minIntervalMs;
    if (this.#requests.length > 0) return allowed;
    if (!this.#active) return Infinity;
    const verdict = this.#verdict;
    if (verdict === null) return allowed;
    const patience = this.#leading ? 1 : FOLLOWER_PATIENCE;
    const wait = patience * waitAfter(verdict.kind, Math.max(1, this.#inARow), intervalMs, this.#random);
    // Below the minimum interval: the page shows a copy that is about to be replaced.
    if (verdict.kind === 'locked') return this.#ended + wait;
    let due = this.#ended + (this.#woken ? 0 : verdict.kind === 'failed' && !this.#online ? Infinity : wait);
    if (verdict.kind === 'failed' && verdict.retryAfterMs !== null) {
      due = Math.max(due, this.#ended + Math.min(verdict.retryAfterMs, MAX_RETRY_AFTER_MS));
    }
    // Last: what has become too old must not be shown any longer, whatever else speaks against a look.
    if (verdict.tooOldAt !== null) due = Math.min(due, verdict.tooOldAt);
    return Math.max(due, allowed);
  }

  async #lookNow(): Promise<void> {
    this.#began = this.#clock.now();
    this.#woken = false;
    const requests = this.#requests.splice(0);
    await this.#run(this.#look);
    for (const done of requests) done();
  }

  async #run(look: Look): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#looking = true;
    const verdict = await look();
    this.#looking = false;
    if (verdict !== null) this.#judge(verdict);
    const seen = this.#seen;
    this.#seen = null;
    if (seen) await this.#run(seen);
    else this.#plan();
  }

  #judge(verdict: Verdict): void {
    this.#inARow = this.#verdict?.kind === verdict.kind ? this.#inARow + 1 : 1;
    this.#verdict = verdict;
    this.#ended = this.#clock.now();
    this.#random = this.#clock.random();
    // Whoever woke during a look wanted what it has found, unless it found nothing, perhaps for having begun too early.
    if (verdict.kind !== 'failed') this.#woken = false;
  }
}
