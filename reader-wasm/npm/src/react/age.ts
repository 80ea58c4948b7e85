/** Ages that go on. */

import type { FallbackReading, Reading } from '../types.js';

type Aged = Reading | FallbackReading | null | undefined;

/** When each reading was handed out, by this device's clock: its age is as of then. */
const handedOutAt = new WeakMap<object, number>();

/** Takes note of when a reading was handed out, at the first call for it. */
export function noteTime(reading: object): number {
  const at = handedOutAt.get(reading) ?? Date.now();
  handedOutAt.set(reading, at);
  return at;
}

/** The age of a reading as of now. */
export function ageNow(reading: Aged): number | null {
  if (!reading || reading.ageMs === null) return null;
  // What a server has made may have been on its way for long, in a page that was rendered yesterday.
  const since = reading.source === 'initial' ? Date.parse(reading.publishedAt ?? '') : noteTime(reading) - reading.ageMs;
  // The clock may be slow, or have been set back.
  return Math.max(reading.ageMs, Date.now() - since || 0);
}

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

/** A store for `useSyncExternalStore` that asks for an age now and then, by default less often when it is large. */
export function ticking(
  age: () => number | null,
  everyMs: number | undefined,
): readonly [subscribe: (listener: () => void) => () => void, current: () => number | null] {
  let current = age();
  const subscribe = (listener: () => void): (() => void) => {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      timer = setTimeout(tick, everyMs ?? ((current ?? 0) < MINUTE_MS ? SECOND_MS : MINUTE_MS));
    };
    const tick = (): void => {
      current = age();
      listener();
      wait();
    };
    if (current !== null) wait();
    return () => clearTimeout(timer);
  };
  return [subscribe, () => current];
}
