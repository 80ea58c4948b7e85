import { beforeEach, describe, expect, test } from 'vitest';

import { electionOf } from '../../../src/watch/election.js';
import { FakeLocks, FakeStorage } from './browser.js';
import { ManualClock, settled } from './clock.js';

let clock: ManualClock;
let locks: FakeLocks;
let storage: FakeStorage;

beforeEach(() => {
  clock = new ManualClock();
  locks = new FakeLocks();
  storage = new FakeStorage();
});

type Means = { locks?: LockManager | null; storage?: Storage | null };

/** A tab that runs for leader. */
function tab(means: Means) {
  const election = electionOf({ locks: null, storage: null, clock, ...means });
  const candidacy = new AbortController();
  const changes: boolean[] = [];
  election?.('feed', candidacy.signal, (leading) => changes.push(leading));
  return {
    changes,
    leave: () => candidacy.abort(),
    get leads() {
      return !candidacy.signal.aborted && changes.at(-1) === true;
    },
  };
}

test('without locks and storage there is none', () => {
  expect(electionOf({ locks: null, storage: null, clock })).toBeNull();
});

describe('by a Web Lock', () => {
  test('the first one leads, and the next one when it leaves', async () => {
    const [a, b] = [tab({ locks }), tab({ locks })];
    await settled();
    expect([a.leads, b.leads]).toEqual([true, false]);
    a.leave();
    await settled();
    expect([a.leads, b.leads]).toEqual([false, true]);
  });

  test('who leaves before its turn never leads', async () => {
    const [a, b, c] = [tab({ locks }), tab({ locks }), tab({ locks })];
    await settled();
    b.leave();
    a.leave();
    await settled();
    expect([b.changes, c.leads]).toEqual([[], true]);
  });

  test('who leaves in the moment of its turn does not keep the lock', async () => {
    for (let moment = 0; moment < 10; moment++) {
      const [a, b, c] = [tab({ locks }), tab({ locks }), tab({ locks })];
      await settled();
      a.leave();
      for (let n = 0; n < moment; n++) await Promise.resolve();
      b.leave();
      await settled();
      expect(c.leads).toBe(true);
      c.leave();
      await settled();
    }
  });

  test('who is robbed of its lock waits for it again', async () => {
    const a = tab({ locks });
    await settled();
    const thief = locks.steal('feed');
    await settled();
    expect(a.changes).toEqual([true, false]);
    thief();
    await settled();
    expect(a.leads).toBe(true);
  });

  test('where locks are refused, a lease does', async () => {
    locks.refuse = true;
    const a = tab({ locks, storage });
    await clock.advance(100);
    expect(a.leads).toBe(true);
    expect(storage.length).toBe(1);
  });

  test('where that is missing too, each leads', async () => {
    locks.refuse = true;
    const [a, b] = [tab({ locks }), tab({ locks })];
    await settled();
    expect([a.leads, b.leads]).toEqual([true, true]);
  });
});

describe('by a lease', () => {
  test('the first one leads for as long as it renews it', async () => {
    const a = tab({ storage });
    await clock.advance(100);
    const b = tab({ storage });
    await clock.advance(600_000);
    expect([a.changes, b.changes]).toEqual([[true], []]);
  });

  test('of two that claim it at once one leads', async () => {
    const [a, b] = [tab({ storage }), tab({ storage })];
    await clock.advance(30_000);
    expect([a.leads, b.leads].filter(Boolean)).toHaveLength(1);
  });

  test('of two that both believe to lead, one finds out that it does not', async () => {
    const a = tab({ storage });
    await clock.advance(100);
    const claim = storage.getItem('feed') ?? '';
    storage.removeItem('feed');
    const b = tab({ storage });
    await clock.advance(100);
    expect([a.leads, b.leads]).toEqual([true, true]);
    expect(storage.getItem('feed')).not.toBe(claim);
    await clock.advance(5_000);
    expect([a.leads, b.leads]).toEqual([false, true]);
  });

  test('who leaves gives it back', async () => {
    const a = tab({ storage });
    await clock.advance(100);
    a.leave();
    expect([storage.length, clock.pending]).toEqual([0, 0]);
    const b = tab({ storage });
    await clock.advance(100);
    expect(b.leads).toBe(true);
    expect(a.changes).toEqual([true]);
  });

  test('who has lost it does not give back that of another', async () => {
    const a = tab({ storage });
    await clock.advance(100);
    const other = JSON.stringify({ token: 'x', until: clock.wall() + 15_000 });
    storage.setItem('feed', other);
    a.leave();
    expect(storage.getItem('feed')).toBe(other);
  });

  test('that of a tab that crashed runs out', async () => {
    const crashed = { token: 'x', until: clock.wall() + 15_000 };
    storage.setItem('feed', JSON.stringify(crashed));
    const b = tab({ storage });
    await clock.advance(14_900);
    expect(b.leads).toBe(false);
    await clock.advance(1_000);
    expect(b.leads).toBe(true);
  });

  test.each(['', 'null', '{}', '[1]', '{"token":"x","until":"soon"}', '{"token":"x","until":9e15}'])(
    'what is no lease, or one of a clock that was wrong, is not heeded: %s',
    async (text) => {
      storage.setItem('feed', text);
      const a = tab({ storage });
      await clock.advance(100);
      expect(a.leads).toBe(true);
    },
  );

  test('where storage fails, each leads', async () => {
    storage.full = true;
    const [a, b] = [tab({ storage }), tab({ storage })];
    await clock.advance(100);
    expect([a.leads, b.leads]).toEqual([true, true]);
    a.leave();
    b.leave();
    expect(clock.pending).toBe(0);
  });
});
