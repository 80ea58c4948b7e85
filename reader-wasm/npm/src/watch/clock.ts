/** Time and chance, passed in so that tests need not wait. */

export interface Clock {
  /** Milliseconds that only rise, counted from anywhere. */
  now(): number;
  /** Milliseconds since 1970, as all tabs of the device have them; may be set. */
  wall(): number;
  /** Runs `task` once after `ms`; the returned function calls it off. */
  after(ms: number, task: () => void): () => void;
  /** From 0 up to, not including, 1. */
  random(): number;
}

/** The longest wait that `setTimeout` knows; beyond it, it does not wait at all. */
export const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
