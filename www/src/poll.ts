/** When to read again. Knows nothing of feeds and pages; the clock is passed in. */

/** How a reading went, as far as the next one is concerned. */
export type Outcome =
  /** The data is current. */
  | 'good'
  /** A commit is in progress: worth another look soon. */
  | 'busy'
  /** Something failed: worth less and less hurry. */
  | 'bad';

export interface Clock {
  /** Milliseconds that only rise. */
  now(): number;
  /** Runs `task` once after `ms`; the returned function calls it off. */
  after(ms: number, task: () => void): () => void;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

const GOOD_MS = 3_000;
const BUSY_MS = 1_000;
const FIRST_BACKOFF_MS = 3_000;
const LAST_BACKOFF_MS = 15_000;

/** The wait before the next reading, after `failures` bad ones in a row. */
export function delayAfter(outcome: Outcome, failures: number, random: number): number {
  switch (outcome) {
    case 'good':
      return GOOD_MS;
    case 'busy':
      return BUSY_MS;
    case 'bad': {
      const full = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
      // Up to a quarter less, so that many pages do not return to a recovering server in step.
      return Math.round(full * (1 - random / 4));
    }
  }
}

type Phase =
  | { readonly kind: 'paused' }
  | { readonly kind: 'reading' }
  | { readonly kind: 'waiting'; readonly until: number; readonly cancel: () => void };

/** Repeats one task for as long as it is wanted, never twice at once. */
export class Poller {
  readonly #task: () => Promise<Outcome>;
  readonly #clock: Clock;
  readonly #onPhase: () => void;
  #phase: Phase = { kind: 'paused' };
  #wanted = false;
  #failures = 0;

  /** `onPhase` is told whenever {@link reading} or {@link msLeft} takes another turn. */
  constructor(task: () => Promise<Outcome>, clock: Clock, onPhase: () => void = () => {}) {
    this.#task = task;
    this.#clock = clock;
    this.#onPhase = onPhase;
  }

  get reading(): boolean {
    return this.#phase.kind === 'reading';
  }

  /** Milliseconds until the next reading; `null` while reading or paused. */
  get msLeft(): number | null {
    return this.#phase.kind === 'waiting' ? Math.max(0, this.#phase.until - this.#clock.now()) : null;
  }

  /** Reads now, unless a reading is under way, and goes on from there. */
  wake(): void {
    this.#wanted = true;
    if (this.#phase.kind === 'reading') return;
    if (this.#phase.kind === 'waiting') this.#phase.cancel();
    this.#enter({ kind: 'reading' });
    void this.#run();
  }

  /** Starts no further reading until {@link wake}. */
  pause(): void {
    this.#wanted = false;
    if (this.#phase.kind !== 'waiting') return;
    this.#phase.cancel();
    this.#enter({ kind: 'paused' });
  }

  async #run(): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#task();
    } catch (error) {
      // A mistake in the page must show up in its error log, and must not end the polling.
      reportError(error);
      outcome = 'bad';
    }
    this.#failures = outcome === 'bad' ? this.#failures + 1 : 0;
    if (!this.#wanted) return this.#enter({ kind: 'paused' });
    const delay = delayAfter(outcome, this.#failures, this.#clock.random());
    this.#enter({
      kind: 'waiting',
      until: this.#clock.now() + delay,
      cancel: this.#clock.after(delay, () => {
        this.#enter({ kind: 'reading' });
        void this.#run();
      }),
    });
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#onPhase();
  }
}
