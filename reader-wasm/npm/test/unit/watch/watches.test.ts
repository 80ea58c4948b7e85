import { beforeEach, describe, expect, test, vi } from 'vitest';

import { LastgoodError } from '../../../src/errors.js';
import type { FallbackReading, Reading } from '../../../src/types.js';
import { ManualClock, settled } from './clock.js';
import { Browser, Server, Tab } from './world.js';

let clock: ManualClock;
let server: Server;
let browser: Browser;
let tab: Tab;

beforeEach(() => {
  clock = new ManualClock();
  server = new Server(clock);
  browser = new Browser(server);
  tab = browser.tab('a', { share: false });
});

const OFFLINE = { code: 'offline', detail: 'no network' } as const;

/** Lets downloads finish. */
const aMoment = (): Promise<void> => clock.advance(100);

describe('what is told', () => {
  test('the first reading, and then nothing as long as nothing changes', async () => {
    const { told } = tab.watch('sales');
    await clock.advance(95_000);
    expect([told, server.asked.length]).toEqual([['s1'], 4]);
  });

  test('a new payload, and nothing when another dataset changes', async () => {
    const { told } = tab.watch('sales');
    await aMoment();
    server.publish({ stock: 't2' });
    await clock.advance(31_000);
    server.publish({ sales: 's2' });
    await clock.advance(31_000);
    expect([told, server.downloads]).toEqual([['s1', 's2'], ['a s1', 'a s2']]);
  });

  test('that it is stale and why, when why changes, and that it is fresh again', async () => {
    const { told } = tab.watch('sales');
    await aMoment();
    server.failure = OFFLINE;
    await clock.advance(60_000);
    server.failure = { code: 'http', detail: '503', status: 503 };
    await clock.advance(60_000);
    server.failure = null;
    await clock.advance(60_000);
    expect(told).toEqual(['s1', 's1/offline', 's1/http', 's1']);
  });

  test('the same object while the payload is the same', async () => {
    const { values } = tab.watch('sales');
    await aMoment();
    server.failure = OFFLINE;
    await clock.advance(60_000);
    const [first, second] = values as Reading[];
    expect(second?.data).toBe(first?.data);
  });

  test('that it was published again', async () => {
    let publishedAt = '2026-11-20T14:39:00Z';
    const { told } = tab.watch('sales', {
      read: async () => ({ ...sample, publishedAt }),
    });
    await clock.advance(31_000);
    publishedAt = '2026-11-20T14:40:00Z';
    await clock.advance(31_000);
    expect(told).toHaveLength(2);
  });

  test('each error once, until it is another one or there is a reading', async () => {
    server.failure = OFFLINE;
    const { told } = tab.watch('sales');
    await clock.advance(60_000);
    server.failure = { code: 'http', detail: '503', status: 503 };
    await clock.advance(60_000);
    server.failure = null;
    await clock.advance(120_000);
    expect(told).toEqual(['error offline', 'error http', 's1']);
  });

  test('an error between two equal readings, and the second reading', async () => {
    let error: LastgoodError | null = null;
    const { told } = tab.watch('sales', {
      read: async () => {
        if (error !== null) throw error;
        return sample;
      },
    });
    await aMoment();
    error = new LastgoodError('older than maxAge', { code: 'too-old', reading: sample });
    await clock.advance(31_000);
    error = null;
    await clock.advance(31_000);
    expect(told).toEqual(['x', 'error too-old', 'x']);
  });
});

describe('a fallback', () => {
  const fallback = (reason: FallbackReading['reason'], detail: string | null): FallbackReading => ({
    ...{ data: 'none', dataset: 'sales', source: 'initial', fresh: false, reason, detail, generation: null, sha256: null },
    ...{ publishedAt: null, ageMs: null, checkedAt: null, meta: null, schemaVersion: null, cachedIn: null },
  });

  test('is told first, though not before watch returns', async () => {
    const { told } = tab.watch('sales', { fallback });
    expect(told).toEqual([]);
    await Promise.resolve();
    expect(told).toEqual(['none/pending']);
    await aMoment();
    expect(told).toEqual(['none/pending', 's1']);
  });

  test('is told with the error for as long as nothing was read, and never after', async () => {
    server.failure = OFFLINE;
    let gone = false;
    const { told } = tab.watch('sales', {
      fallback,
      read: async () => {
        if (gone || server.failure !== null) throw new LastgoodError('no', { code: gone ? 'not-found' : 'offline' });
        return sample;
      },
    });
    await aMoment();
    server.failure = null;
    await clock.advance(31_000);
    gone = true;
    await clock.advance(31_000);
    expect(told).toEqual(['none/pending', 'none/offline', 'error offline', 'x', 'error not-found']);
  });

  test('whose callback ends the watch is not followed by the error', async () => {
    server.failure = OFFLINE;
    const onError = vi.fn();
    const { stop } = tab.watch('sales', {
      fallback,
      onError,
      onValue: (value) => {
        if ('reason' in value && value.reason === 'offline') stop();
      },
    });
    await aMoment();
    expect(onError).not.toHaveBeenCalled();
  });

  test('is not told to a watch that has ended at once', async () => {
    const { told, stop } = tab.watch('sales', { fallback });
    stop();
    await aMoment();
    expect(told).toEqual([]);
  });
});

describe('one look', () => {
  test('serves all watches', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `d${n}`);
    server.publish(Object.fromEntries(names.map((name) => [name, `${name} 1`])));
    const watches = names.map((name) => tab.watch(name));
    await clock.advance(31_000);
    expect(watches.map(({ told }) => told.length)).toEqual(names.map(() => 1));
    expect([server.asked.length, server.downloads.length]).toEqual([2, 200]);
  });

  test('takes in those that begin while it is under way', async () => {
    let open = (): void => {};
    server.gate = new Promise((resolve) => (open = resolve));
    tab.watch('sales');
    await clock.advance(5_000);
    const late = tab.watch('stock');
    open();
    await aMoment();
    expect([late.told, server.asked]).toEqual([['t1'], [0]]);
  });

  test('serves those that begin within the minimum interval after it', async () => {
    tab.watch('sales');
    await clock.advance(900);
    const late = tab.watch('stock');
    await aMoment();
    expect([late.told, server.asked]).toEqual([['t1'], [0]]);
  });

  test('is made anew for those that begin later', async () => {
    tab.watch('sales');
    await clock.advance(5_000);
    const late = tab.watch('stock');
    await aMoment();
    expect([late.told, server.asked]).toEqual([['t1'], [0, 5_000]]);
  });

  test('comes as often as the most impatient watch wants, and no more often when that has ended', async () => {
    tab.watch('sales');
    const { stop } = tab.watch('stock', { intervalMs: 10_000 });
    await clock.advance(21_000);
    stop();
    await clock.advance(40_000);
    expect(server.asked.map((at) => Math.round(at / 1_000))).toEqual([0, 10, 20, 50]);
  });

  test('a new impatient watch takes effect at once', async () => {
    tab.watch('sales');
    await clock.advance(500);
    tab.watch('stock', { intervalMs: 5_000 });
    await clock.advance(5_000);
    expect(server.asked).toHaveLength(2);
  });

  test('a manifest that cannot be had is tried again soon, whatever else is wrong', async () => {
    server.failure = OFFLINE;
    tab.watch('sales');
    tab.watch('stock', {
      read: async () => {
        throw new LastgoodError('a mistake', { code: 'migration-failed' });
      },
    });
    await clock.advance(5_000);
    expect(server.asked.length).toBeGreaterThan(1);
  });

  test('that one dataset of several fails is left to the interval', async () => {
    tab.watch('sales');
    const { told } = tab.watch('nosuch');
    await clock.advance(29_000);
    expect([told, server.asked]).toEqual([['error not-found'], [0]]);
  });

  test('a dataset that is not there yet is looked for in each interval', async () => {
    const { told } = tab.watch('later');
    await clock.advance(95_000);
    server.publish({ later: 'l1' });
    await clock.advance(31_000);
    expect(told).toEqual(['error not-found', 'l1']);
    expect(server.asked).toHaveLength(5);
  });

  test('a locked dataset is looked at until it is released', async () => {
    const { told } = tab.watch('sales');
    await aMoment();
    server.locked = true;
    void tab.watches.refresh();
    await clock.advance(2_000);
    server.publish({ sales: 's2' });
    server.locked = false;
    await clock.advance(2_100);
    expect(told).toEqual(['s1', 's1/locked', 's2']);
    const sofar = server.asked.length;
    await clock.advance(25_000);
    expect(server.asked).toHaveLength(sofar);
  });

  test('what becomes too old is looked at in time, also for a watch that was served without a look', async () => {
    tab.watch('stock');
    await clock.advance(500);
    tab.watch('sales', { maxAge: 5_000 });
    await clock.advance(5_600);
    expect(server.asked.map((at) => Math.round(at / 100) / 10)).toEqual([0, 5.6]);
  });

  test('several datasets are told together', async () => {
    const { told } = tab.watch(['sales', 'stock']);
    await aMoment();
    server.publish({ stock: 't2' });
    await clock.advance(31_000);
    server.publish({ other: 'o1' });
    await clock.advance(31_000);
    expect(told).toEqual(['s1+t1', 's1+t2']);
  });
});

describe('the page', () => {
  test('hidden it does nothing; visible again it looks at once', async () => {
    tab.watch('sales');
    await clock.advance(5_000);
    tab.hide();
    expect(clock.pending).toBe(0);
    await clock.advance(600_000);
    tab.unhide();
    await settled();
    expect(server.asked).toEqual([0, 605_000]);
  });

  test('opened in the background it reads once', async () => {
    tab.hide();
    const { told } = tab.watch('sales');
    await clock.advance(600_000);
    expect([told, server.asked]).toEqual([['s1'], [0]]);
  });

  test('back from the back-forward cache it looks at once', async () => {
    tab.watch('sales');
    await clock.advance(5_000);
    tab.putAside();
    await clock.advance(600_000);
    tab.restore();
    await settled();
    expect(server.asked).toEqual([0, 605_000]);
  });

  test('says at once that it is offline, and that it no longer is', async () => {
    const { told } = tab.watch('sales');
    await clock.advance(5_000);
    server.failure = OFFLINE;
    tab.online = false;
    await clock.advance(600_000);
    expect([told, server.asked]).toEqual([['s1', 's1/offline'], [0, 5_000]]);
    server.failure = null;
    tab.online = true;
    await settled();
    expect(told).toEqual(['s1', 's1/offline', 's1']);
  });

  test('the focus is worth a look, unless there was one just now', async () => {
    tab.watch('sales');
    await clock.advance(500);
    tab.focus();
    await clock.advance(4_500);
    expect(server.asked).toEqual([0]);
    tab.focus();
    await settled();
    expect(server.asked).toEqual([0, 5_000]);
  });
});

describe('the end of a watch', () => {
  test('leaves no timer and no channel, and nobody is called any more', async () => {
    const shared = browser.tab('b');
    const { told, stop } = shared.watch('sales');
    await aMoment();
    server.publish({ sales: 's2' });
    void shared.watches.refresh();
    stop();
    stop();
    await clock.advance(600_000);
    expect([told, clock.pending, browser.channels.size]).toEqual([['s1'], 0, 0]);
    expect((await browser.locks.query()).held).toEqual([]);
    expect(shared.listeners).toBe(0);
  });

  test('can come from its signal, before it begins too', async () => {
    const controller = new AbortController();
    const { told } = tab.watch('sales', {}, controller.signal);
    await aMoment();
    const letGo = vi.spyOn(controller.signal, 'removeEventListener');
    controller.abort();
    expect(letGo).toHaveBeenCalled();
    tab.watch('sales', {}, controller.signal);
    await clock.advance(600_000);
    expect([told, server.asked, clock.pending]).toEqual([['s1'], [0], 0]);
  });

  test('can come from its own callback, and does not touch the others', async () => {
    const other = tab.watch('stock');
    let calls = 0;
    const { stop } = tab.watch('sales', {
      onValue: () => {
        calls += 1;
        stop();
      },
    });
    await aMoment();
    server.publish({ sales: 's2', stock: 't2' });
    await clock.advance(31_000);
    expect([calls, other.told]).toEqual([1, ['t1', 't2']]);
  });

  test('one that ends while it is read does not hold up the others', async () => {
    const { stop } = tab.watch('sales');
    const other = tab.watch('stock');
    stop();
    await clock.advance(31_000);
    expect([other.told, server.asked.length]).toEqual([['t1'], 2]);
  });

  test('a new watch after the last one has ended keeps the minimum interval', async () => {
    tab.watch('sales').stop();
    const { told } = tab.watch('sales');
    await aMoment();
    expect([told, server.asked.length]).toEqual([['s1'], 1]);
  });

  test('all end when the feed is closed', async () => {
    const ends: string[] = [];
    for (const name of ['sales', 'stock']) tab.watch(name, { onEnd: () => ends.push(name) });
    await aMoment();
    tab.watches.close();
    await clock.advance(600_000);
    expect([ends, clock.pending, server.asked]).toEqual([['sales', 'stock'], 0, [0]]);
    await expect(tab.watches.refresh()).rejects.toMatchObject({ code: 'closed' });
  });

  test('a refresh that is waiting when the feed is closed is told so', async () => {
    tab.watch('sales');
    await aMoment();
    const refreshed = tab.watches.refresh();
    tab.watches.close();
    await expect(refreshed).rejects.toMatchObject({ code: 'closed' });
  });

  test('without a watch there is nothing to refresh', async () => {
    await tab.watches.refresh();
    expect(server.asked).toEqual([]);
  });
});

describe('mistakes of the app', () => {
  test('in a callback are reported, and the watch goes on', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    let calls = 0;
    const mistake = new TypeError('a mistake');
    tab.watch('sales', {
      onValue: () => {
        calls += 1;
        throw mistake;
      },
    });
    const other = tab.watch('stock');
    await aMoment();
    server.publish({ sales: 's2' });
    await clock.advance(31_000);
    vi.unstubAllGlobals();
    expect([calls, other.told]).toEqual([2, ['t1']]);
    expect(reported.mock.calls).toEqual([[mistake], [mistake]]);
  });

  test('are shown in the console where nothing else reports them', async () => {
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    tab.watch('sales', {
      onValue: () => {
        throw new TypeError('a mistake');
      },
    });
    await aMoment();
    expect(shown).toHaveBeenCalledOnce();
    shown.mockRestore();
  });
});

describe('tabs', () => {
  let a: Tab;
  let b: Tab;

  beforeEach(() => {
    a = browser.tab('a');
    b = browser.tab('b');
  });

  /** Two tabs that have been watching for a while. */
  async function both() {
    const [inA, inB] = [a.watch('sales'), b.watch('sales')];
    await clock.advance(5_000);
    server.asked.length = 0;
    server.downloads.length = 0;
    return { inA, inB };
  }

  test('one polls for both, and downloads for both', async () => {
    const { inA, inB } = await both();
    expect([a.leads, b.leads]).toEqual([true, false]);
    server.publish({ sales: 's2' });
    await clock.advance(300_000);
    expect([inA.told, inB.told]).toEqual([
      ['s1', 's2'],
      ['s1', 's2'],
    ]);
    expect(server.asked).toHaveLength(10);
    expect(server.downloads).toEqual(['a s2']);
  });

  test('a follower reads for itself what the leader does not watch', async () => {
    await both();
    const stock = b.watch('stock');
    await aMoment();
    server.publish({ stock: 't2' });
    await clock.advance(60_000);
    expect(stock.told).toEqual(['t1', 't2']);
    expect(server.downloads).toEqual(['b t1', 'b t2']);
  });

  test('both know why it is stale, and that it is no longer', async () => {
    const { inA, inB } = await both();
    server.failure = { code: 'http', detail: '503', status: 503 };
    await clock.advance(30_000);
    server.failure = null;
    await clock.advance(30_000);
    expect(inB.told).toEqual(['s1', 's1/http', 's1']);
    expect(inA.told).toEqual(inB.told);
  });

  test.each([
    ['hidden', (tab: Tab): void => tab.hide()],
    ['put aside', (tab: Tab): void => tab.putAside()],
    ['closed', (tab: Tab): void => tab.watches.close()],
  ])('the other one leads when the first is %s', async (_, away) => {
    const { inB } = await both();
    away(a);
    await settled();
    expect([a.leads, b.leads]).toEqual([false, true]);
    server.publish({ sales: 's2' });
    await clock.advance(60_000);
    expect(inB.told).toEqual(['s1', 's2']);
    expect(server.asked).toHaveLength(2);
  });

  test('who comes back follows, and is up to date at once', async () => {
    const { inA } = await both();
    a.hide();
    await clock.advance(60_000);
    server.publish({ sales: 's2' });
    a.unhide();
    await aMoment();
    expect([a.leads, b.leads, inA.told]).toEqual([false, true, ['s1', 's2']]);
  });

  test('all hidden, nobody asks', async () => {
    await both();
    a.hide();
    b.hide();
    await clock.advance(3_600_000);
    expect([server.asked, clock.pending, browser.channels.size]).toEqual([[], 0, 0]);
  });

  test('a follower that hears nothing looks by itself after two intervals', async () => {
    const { inB } = await both();
    browser.channels.broken = true;
    server.publish({ sales: 's2' });
    await clock.advance(60_000);
    expect(inB.told).toEqual(['s1', 's2']);
  });

  test('while a dataset is locked one asks for both', async () => {
    const { inB } = await both();
    server.locked = true;
    await a.watches.refresh();
    server.asked.length = 0;
    await clock.advance(3_200);
    expect(inB.told).toEqual(['s1', 's1/locked']);
    expect(server.asked).toHaveLength(5);
  });

  test('an old answer that arrives late is left aside, and does not count as heard', async () => {
    const { inB } = await both();
    const late = { protocol: 'lastgood-watch:1', lock: null, manifest: await server.askManifest() };
    server.publish({ sales: 's2' });
    void b.watches.refresh();
    await aMoment();
    browser.channels.broken = true;
    server.publish({ sales: 's3' });
    for (let n = 0; n < 7; n++) {
      browser.channels.inject(late);
      await clock.advance(9_000);
    }
    expect(inB.told).toEqual(['s1', 's2', 's3']);
  });

  test('messages of other code are ignored', async () => {
    const { inB } = await both();
    for (const message of ['hello', null, { manifest: {} }]) browser.channels.inject(message);
    await clock.advance(1_000);
    expect([inB.told, server.asked]).toEqual([['s1'], []]);
  });

  test('five tabs ask as often as one', async () => {
    const tabs = ['c', 'd', 'e'].map((name) => browser.tab(name));
    await both();
    for (const tab of tabs) tab.watch('stock');
    await clock.advance(1_000);
    server.asked.length = 0;
    await clock.advance(300_000);
    expect(server.asked).toHaveLength(10);
  });

  test('what is told has been written to the cache before', async () => {
    const { inB } = await both();
    server.publish({ sales: 's2' });
    void a.watches.refresh();
    await aMoment();
    expect(inB.told).toEqual(['s1', 's2']);
    expect(server.downloads).toEqual(['a s2']);
  });
});

const sample: Reading = {
  ...{ data: 'x', dataset: 'sales', source: 'network', fresh: true, reason: null, detail: null, generation: 1 },
  ...{ sha256: 'x', publishedAt: '2026-11-20T14:39:00Z', ageMs: 0, checkedAt: '2026-11-20T14:40:00Z', meta: null },
  ...{ schemaVersion: null, cachedIn: null },
};
