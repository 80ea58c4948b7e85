import type { Clock } from '../src/poll';

/** A clock that moves when it is told to. */
export class ManualClock implements Clock {
  #now = 0;
  #tasks: { at: number; run: () => void }[] = [];
  chance = 0;

  now(): number {
    return this.#now;
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

  /** Moves on, runs what is due, and lets promises settle. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#tasks.filter(({ at }) => at <= this.#now);
    this.#tasks = this.#tasks.filter(({ at }) => at > this.#now);
    for (const { run } of due) run();
    await settled();
  }
}

/** Resolves after all promise reactions that are due now. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
