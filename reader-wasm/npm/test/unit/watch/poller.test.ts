import { beforeEach, describe, expect, test } from 'vitest';

import type { Verdict } from '../../../src/watch/poller.js';
import { Poller, waitAfter } from '../../../src/watch/poller.js';
import { ManualClock, settled } from './clock.js';

const ANSWERED: Verdict = { kind: 'answered', tooOldAt: null };
const LOCKED: Verdict = { kind: 'locked' };
const FAILED: Verdict = { kind: 'failed', tooOldAt: null, retryAfterMs: null };

let clock: ManualClock;
/** When looks began. */
let looks: number[];
let verdict: Verdict;
let intervalMs: number;
let poller: Poller;

beforeEach(() => {
  clock = new ManualClock();
  looks = [];
  verdict = ANSWERED;
  intervalMs = 30_000;
  poller = new Poller(look, () => ({ intervalMs, minIntervalMs: 1_000 }), clock);
});

async function look(): Promise<Verdict> {
  looks.push(clock.now());
  return verdict;
}

/** A look that ends when it is told to. */
function slowly(): { end: (verdict: Verdict) => Promise<void> } {
  let finish: (verdict: Verdict) => void = () => {};
  poller = new Poller(
    () => {
      looks.push(clock.now());
      return new Promise((resolve) => (finish = resolve));
    },
    () => ({ intervalMs, minIntervalMs: 1_000 }),
    clock,
  );
  return {
    end: async (verdict) => {
      finish(verdict);
      await settled();
    },
  };
}

describe('while all is well', () => {
  test('looks at once, then in each interval', async () => {
    poller.resume();
    await clock.advance(60_000);
    expect(looks).toEqual([0, 30_000, 60_000]);
  });

  test('the interval varies by a tenth either way', () => {
    expect(waitAfter('answered', 1, 30_000, 0)).toBe(27_000);
    expect(waitAfter('answered', 9, 30_000, 1)).toBe(33_000);
  });

  test('a shorter interval takes effect with what a watch has found', async () => {
    poller.resume();
    await clock.advance(10_000);
    intervalMs = 5_000;
    poller.amend(ANSWERED);
    await clock.advance(5_000);
    expect(looks).toEqual([0, 10_000, 15_000]);
  });

  test('paused it does nothing and keeps no timer; resumed it looks at once', async () => {
    poller.resume();
    await clock.advance(10_000);
    poller.pause();
    expect(clock.pending).toBe(0);
    await clock.advance(100_000);
    poller.resume();
    await clock.advance(30_000);
    expect(looks).toEqual([0, 110_000, 140_000]);
  });

  test('a sleep of hours is followed by one look, not by all that were missed', async () => {
    poller.resume();
    await clock.advance(10_000);
    await clock.sleep(8 * 3_600_000);
    expect(looks).toEqual([0, 28_810_000]);
    await clock.advance(30_000);
    expect(looks).toHaveLength(3);
  });
});

describe('the minimum interval', () => {
  test('a storm of signals makes one look now and one at its end', async () => {
    poller.resume();
    await clock.advance(5_000);
    for (let n = 0; n < 50; n++) {
      poller.wake();
      await clock.advance(10);
    }
    await clock.advance(5_000);
    expect(looks).toEqual([0, 5_000, 6_000]);
  });

  test('refreshes within it share the look at its end', async () => {
    poller.resume();
    await clock.advance(200);
    let done = 0;
    for (let n = 0; n < 50; n++) void poller.refresh().then(() => done++);
    await clock.advance(799);
    expect([looks, done]).toEqual([[0], 0]);
    await clock.advance(1);
    expect([looks, done]).toEqual([[0, 1_000], 50]);
  });

  test('counts more than a shorter interval', async () => {
    intervalMs = 10;
    poller.resume();
    await clock.advance(2_500);
    expect(looks).toEqual([0, 1_000, 2_000]);
  });
});

describe('never two looks at once', () => {
  test('signals during a look that finds something are content with it', async () => {
    const { end } = slowly();
    poller.resume();
    await clock.advance(5_000);
    poller.wake();
    await end(ANSWERED);
    await clock.advance(29_000);
    expect(looks).toEqual([0]);
  });

  test('a signal during a look that fails is worth another one', async () => {
    const { end } = slowly();
    poller.resume();
    await clock.advance(5_000);
    poller.wake();
    await end(FAILED);
    expect(looks).toEqual([0, 5_000]);
  });

  test('a refresh during a look waits for the next one, which begins when this one has ended', async () => {
    const { end } = slowly();
    poller.resume();
    await clock.advance(5_000);
    let done = false;
    void poller.refresh().then(() => (done = true));
    await clock.advance(5_000);
    expect(looks).toEqual([0]);
    await end(ANSWERED);
    expect([looks, done]).toEqual([[0, 10_000], false]);
    await end(ANSWERED);
    expect(done).toBe(true);
  });

  test('what is heard during a look is left aside', async () => {
    const { end } = slowly();
    poller.resume();
    let heard = 0;
    poller.hear(async () => (heard++, ANSWERED));
    await end(ANSWERED);
    poller.hear(async () => (heard++, ANSWERED));
    await settled();
    expect(heard).toBe(1);
  });
});

describe('when it fails', () => {
  beforeEach(() => (verdict = FAILED));

  test('backs off from 2 seconds to 5 minutes, by up to a half less', () => {
    const waits = [1, 2, 3, 4, 7, 8, 9, 99].map((nth) => waitAfter('failed', nth, 30_000, 0));
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 128_000, 256_000, 300_000, 300_000]);
    expect(waitAfter('failed', 99, 30_000, 1)).toBe(150_000);
  });

  test('never backs off to less than the interval, nor waits longer than it at first', () => {
    expect(waitAfter('failed', 99, 3_600_000, 0)).toBe(3_600_000);
    expect(waitAfter('failed', 1, 1_000, 0)).toBe(1_000);
  });

  test('begins anew after a success', async () => {
    clock.chance = 0;
    poller.resume();
    await clock.advance(6_000);
    verdict = ANSWERED;
    await clock.advance(8_000);
    verdict = FAILED;
    await clock.advance(27_000 + 2_000);
    expect(looks).toEqual([0, 2_000, 6_000, 14_000, 41_000, 43_000]);
  });

  test('a signal looks at once and begins anew', async () => {
    clock.chance = 0;
    poller.resume();
    await clock.advance(20_000);
    poller.wake();
    await clock.advance(2_000);
    expect(looks).toEqual([0, 2_000, 6_000, 14_000, 20_000, 22_000]);
  });

  test('a server that asks to be left alone is, by signals too; a person who asks is served', async () => {
    verdict = { ...FAILED, retryAfterMs: 60_000 };
    poller.resume();
    await clock.advance(30_000);
    poller.wake();
    await clock.advance(29_999);
    expect(looks).toEqual([0]);
    await clock.advance(1);
    expect(looks).toEqual([0, 60_000]);
    void poller.refresh();
    await clock.advance(1_000);
    expect(looks).toEqual([0, 60_000, 61_000]);
  });

  test('for an hour at the most', async () => {
    verdict = { ...FAILED, retryAfterMs: 86_400_000 };
    poller.resume();
    await clock.advance(3_600_000);
    expect(looks).toEqual([0, 3_600_000]);
  });
});

describe('offline', () => {
  test('fails once and then rests until there is a network again', async () => {
    poller.resume();
    await clock.advance(10_000);
    verdict = FAILED;
    poller.online = false;
    await clock.advance(3_600_000);
    expect(looks).toEqual([0, 10_000]);
    expect(clock.pending).toBe(0);
    verdict = ANSWERED;
    poller.online = true;
    await clock.advance(30_000);
    expect(looks).toEqual([0, 10_000, 3_610_000, 3_640_000]);
  });

  test('goes on where the browser is mistaken', async () => {
    poller.online = false;
    poller.resume();
    await clock.advance(30_000);
    expect(looks).toEqual([0, 30_000]);
  });
});

describe('locked', () => {
  test('looks again soon, below the minimum interval, less and less often, until released', async () => {
    verdict = LOCKED;
    poller.resume();
    await clock.advance(7_100);
    expect(looks).toEqual([0, 100, 300, 700, 1_500, 3_100, 5_100, 7_100]);
    verdict = ANSWERED;
    await clock.advance(2_000 + 30_000);
    expect(looks.slice(-2)).toEqual([9_100, 39_100]);
  });
});

describe('what becomes too old', () => {
  test('is looked at in time', async () => {
    verdict = { kind: 'answered', tooOldAt: 10_000 };
    poller.resume();
    await clock.advance(9_999);
    verdict = ANSWERED;
    await clock.advance(20_000);
    expect(looks).toEqual([0, 10_000]);
  });

  test('even where nothing else would be', async () => {
    poller.online = false;
    verdict = { kind: 'failed', tooOldAt: 10_000, retryAfterMs: 60_000 };
    poller.resume();
    await clock.advance(9_999);
    verdict = FAILED;
    await clock.advance(3_600_000);
    expect(looks).toEqual([0, 10_000]);
  });
});

describe('a follower', () => {
  beforeEach(() => (poller.leading = false));

  test('looks once at the start and then leaves it to the leader', async () => {
    poller.resume();
    for (let n = 0; n < 5; n++) {
      await clock.advance(30_000);
      poller.hear(async () => ANSWERED);
    }
    expect(looks).toEqual([0]);
  });

  test('looks by itself when it has heard nothing for two intervals', async () => {
    poller.resume();
    await clock.advance(30_000);
    poller.hear(async () => ANSWERED);
    await clock.advance(60_000);
    expect(looks).toEqual([0, 90_000]);
  });

  test('what says nothing does not count as heard', async () => {
    poller.resume();
    await clock.advance(30_000);
    poller.hear(async () => null);
    await clock.advance(30_000);
    expect(looks).toEqual([0, 60_000]);
  });

  test('that becomes the leader takes up its rhythm', async () => {
    poller.resume();
    await clock.advance(29_000);
    poller.leading = true;
    await clock.advance(1_000);
    expect(looks).toEqual([0, 30_000]);
    poller.leading = false;
    await clock.advance(45_000);
    poller.leading = true;
    await settled();
    expect(looks).toEqual([0, 30_000, 75_000]);
  });

  test('waits twice as long for a release, and as long as the server asks', async () => {
    poller.resume();
    await settled();
    poller.hear(async () => LOCKED);
    await clock.advance(200);
    expect(looks).toEqual([0, 200]);
    poller.hear(async () => ({ ...FAILED, retryAfterMs: 600_000 }));
    await clock.advance(599_000);
    expect(looks).toHaveLength(2);
  });

  test('hears nothing while paused', async () => {
    let heard = false;
    poller.hear(async () => ((heard = true), ANSWERED));
    await settled();
    expect(heard).toBe(false);
  });
});

describe('the end', () => {
  test('lets those go who wait for a look, and leaves no timer', async () => {
    poller.resume();
    await settled();
    const refreshed = poller.refresh();
    poller.stop();
    await refreshed;
    expect([looks, clock.pending]).toEqual([[0], 0]);
  });

  test('a refresh works while paused', async () => {
    await poller.refresh();
    expect([looks, clock.pending]).toEqual([[0], 0]);
  });
});
