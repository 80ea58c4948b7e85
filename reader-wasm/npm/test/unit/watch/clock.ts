import type { Clock } from '../../../src/watch/clock.js';

/** A clock that moves when it is told to. */
export class ManualClock implements Clock {
  /** What the tabs of a device have in common may be set apart from what passes. */
  wallOffset = Date.parse('2026-11-20T14:40:00Z');
  /** What {@link random} gives. In the middle, an interval is exactly itself. */
  chance = 0.5;
  #now = 0;
  #tasks: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.wallOffset + this.#now;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, run: () => void): () => void {
    const task = { at: this.#now + ms, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  }

  /** How many tasks are still to come. */
  get pending(): number {
    return this.#tasks.length;
  }

  /** Moves on, running each task at its time, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((task) => task !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = end;
  }

  /** The device sleeps: time passes, and what was due meanwhile runs once, late. */
  async sleep(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }
}

/** Resolves after all promise reactions that are due now. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
