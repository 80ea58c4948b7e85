import { afterEach, describe, expect, test, vi } from 'vitest';

import type { Outcome } from '../src/poll';
import { delayAfter, Poller } from '../src/poll';
import { ManualClock, settled } from './clock';

/** A poller whose readings end when the test says so. */
function controlled() {
  const clock = new ManualClock();
  const open: PromiseWithResolvers<Outcome>[] = [];
  let started = 0;
  let most = 0;
  const poller = new Poller(async () => {
    started += 1;
    const reading = withResolvers();
    open.push(reading);
    most = Math.max(most, open.length);
    return reading.promise;
  }, clock);
  const finish = async (outcome: Outcome): Promise<void> => {
    open.shift()?.resolve(outcome);
    await settled();
  };
  return { clock, poller, finish, open, started: () => started, most: () => most };
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

function withResolvers(): PromiseWithResolvers<Outcome> {
  let resolve: (value: Outcome) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<Outcome>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

afterEach(() => vi.unstubAllGlobals());

describe('delayAfter', () => {
  test('looks again sooner while a commit is in progress', () => {
    expect(delayAfter('busy', 0, 0)).toBeLessThan(delayAfter('good', 0, 0));
  });

  test('backs off to a limit', () => {
    const delays = [1, 2, 3, 4, 50].map((failures) => delayAfter('bad', failures, 0));
    expect(delays).toEqual([3_000, 6_000, 12_000, 15_000, 15_000]);
  });

  test('spreads retries over a quarter of the wait', () => {
    expect(delayAfter('bad', 2, 0.999)).toBe(4_502);
  });
});

describe('Poller', () => {
  test('reads at once, then again after each wait', async () => {
    const { clock, poller, finish, started } = controlled();
    poller.wake();
    expect(started()).toBe(1);
    await finish('good');
    await clock.advance(2_999);
    expect(started()).toBe(1);
    await clock.advance(1);
    expect(started()).toBe(2);
  });

  test('never has two readings under way, however often it is woken', async () => {
    const { clock, poller, finish, started, most } = controlled();
    poller.wake();
    poller.wake();
    poller.pause();
    poller.wake();
    expect(started()).toBe(1);
    await finish('good');
    poller.wake();
    poller.wake();
    await clock.advance(60_000);
    expect(started()).toBe(2);
    expect(most()).toBe(1);
  });

  test('waking during a wait reads now and calls the wait off', async () => {
    const { clock, poller, finish, started } = controlled();
    poller.wake();
    await finish('bad');
    poller.wake();
    expect(started()).toBe(2);
    expect(clock.pending).toBe(0);
  });

  test('starts nothing while paused, whether paused during a wait or a reading', async () => {
    const { clock, poller, finish, started } = controlled();
    poller.wake();
    poller.pause();
    await finish('good');
    await clock.advance(60_000);
    expect(started()).toBe(1);
    poller.wake();
    await finish('good');
    poller.pause();
    await clock.advance(60_000);
    expect(started()).toBe(2);
    expect(poller.msLeft).toBeNull();
  });

  test('counts down, and backs off until a reading succeeds', async () => {
    const { clock, poller, finish } = controlled();
    poller.wake();
    expect(poller.msLeft).toBeNull();
    await finish('bad');
    expect(poller.msLeft).toBe(3_000);
    await clock.advance(1_000);
    expect(poller.msLeft).toBe(2_000);
    await clock.advance(2_000);
    await finish('bad');
    expect(poller.msLeft).toBe(6_000);
    await clock.advance(6_000);
    await finish('good');
    await clock.advance(3_000);
    await finish('bad');
    expect(poller.msLeft).toBe(3_000);
  });

  test('a mistake in the task is reported and polling goes on', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const { clock, poller, open, started } = controlled();
    poller.wake();
    const mistake = new Error('a mistake');
    open.shift()?.reject(mistake);
    await settled();
    expect(reported).toHaveBeenCalledWith(mistake);
    await clock.advance(3_000);
    expect(started()).toBe(2);
  });
});
