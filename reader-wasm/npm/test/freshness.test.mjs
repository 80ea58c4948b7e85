// What is fresh, said of every view of a feed alike; and that what was handed out together is not lost.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, test } from 'node:test';

import { sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { settled } from './support/settled.mjs';
import { away, device, seen, served, taker } from './support/world.mjs';

const { open } = await import(entry);
const PAIR = ['a', 'b'];
const FIRST = { a: '"a1"', b: '"b1"' };
const SECOND = { a: '"a2"', b: '"b2"' };

beforeEach(device);

async function opened(t, datasets, options) {
  const server = await served(datasets);
  const feed = await visit(t, server, options);
  return { server, feed };
}

async function visit(t, server, options) {
  const feed = await open(server.url, { wasm, minIntervalMs: 1, intervalMs: 3_600_000, shareTabs: false, ...options });
  t.after(() => feed.close());
  return feed;
}

/** How generation 2 fails to arrive as a whole. */
const FAULTS = {
  'the server goes away': [(server) => away(server), 'offline'],
  'an object is damaged': [(server) => void server.files.set(`objects/${sha256(SECOND.b)}.json`, '"b9"'), 'checksum-mismatch'],
};

for (const [what, [fail, reason]] of Object.entries(FAULTS)) {
  for (const cache of ['auto', 'none']) {
    test(`a snapshot of which one dataset was read alone stays, and is not fresh, when ${what} (cache: ${cache})`, async (t) => {
      const { server, feed } = await opened(t, FIRST, { cache });
      const { told, errors, tell, fail: failed, until } = taker();
      feed.watch(PAIR, tell, { onError: failed });
      const first = await until(() => told.length > 0);
      assert.deepEqual(seen(first), { a: ['a1', true, null], b: ['b1', true, null] });
      server.publish(SECOND, { generation: 2 });
      server.files.delete('b.json');
      // What the single read has seen, the watch sees too: here it finds that it cannot have all of it.
      fail(server);
      const restore = server.files.get('manifest.json');
      if (reason === 'offline') {
        // Only for the single read, and only what it needs.
        server.publish(SECOND, { generation: 2 });
        server.files.set(`objects/${sha256(SECOND.b)}.json`, (request) => request.socket.destroy());
      }
      const single = await feed.read('a');
      assert.deepEqual(seen(single), ['a2', true, null]);
      if (reason === 'offline') server.files.set('manifest.json', restore);
      await feed.refresh();
      const last = told.at(-1);
      assert.deepEqual(seen(last), { a: ['a1', false, reason], b: ['b1', false, reason] });
      assert.equal(last.a.data, first.a.data, 'the same object');
      assert.deepEqual([last.a.generation, last.b.generation, errors], [1, 1, []]);
      assert.deepEqual(seen(feed.held(PAIR)), seen(last));
      // A snapshot that is asked for now, and one of a later visit, say the same.
      assert.deepEqual(seen(await feed.snapshot(PAIR)), seen(last));
      if (cache === 'auto') {
        await settled();
        const later = await visit(t, server);
        const snapshot = await later.snapshot(PAIR);
        assert.deepEqual(seen(snapshot), seen(last));
        assert.deepEqual([snapshot.a.source, snapshot.a.cachedIn], ['fallback', 'localStorage']);
        assert.deepEqual((await later.read('a')).data, reason === 'offline' ? 'a2' : 'a2', 'the single one is there too');
      }
    });
  }
}

test('what a call has found out, every view says before the call ends', async (t) => {
  const { server, feed } = await opened(t, FIRST);
  const [one, both] = [taker(), taker()];
  feed.watch('a', one.tell);
  feed.watch(PAIR, both.tell);
  await Promise.all([one.until((told) => told.length > 0), both.until((told) => told.length > 0)]);
  const { a } = await feed.snapshot(PAIR);
  const back = away(server);
  const single = await feed.read('a');
  for (const reading of [single, one.told.at(-1), both.told.at(-1).a, feed.held('a'), feed.judge(a)]) {
    assert.deepEqual(seen(reading), ['a1', false, 'offline']);
    assert.equal(reading.detail, single.detail);
  }
  back();
  const again = await feed.read('b');
  assert.deepEqual(seen(again), ['b1', true, null]);
  assert.deepEqual(seen(feed.judge(a)), ['a1', true, null], 'the manifest that was read for b names it');
  await one.until((told) => told.at(-1).fresh);
  await both.until((told) => told.at(-1).a.fresh);
});

test('what a later manifest does not name is not fresh, whichever read has seen it', async (t) => {
  const { server, feed } = await opened(t, FIRST);
  const { told, tell, until } = taker();
  feed.watch('b', tell);
  await until(() => told.length > 0);
  const before = await feed.read('b');
  server.publish(SECOND, { generation: 2 });
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  server.files.set(`objects/${sha256(SECOND.b)}.json`, async (_, response) => {
    await gate;
    response.end(SECOND.b);
  });
  await feed.read('a');
  assert.deepEqual(seen(feed.judge(before)), ['b1', false, 'checking']);
  assert.deepEqual(seen(told.at(-1)), ['b1', false, 'checking']);
  release();
  assert.deepEqual(seen(await until(() => told.at(-1).fresh)), ['b2', true, null]);
});

test('during a lock, every view says so', async (t) => {
  const { server, feed } = await opened(t, FIRST);
  const [old, late, ignoring] = [taker(), taker(), taker()];
  feed.watch('a', old.tell);
  feed.watch('a', ignoring.tell, { lock: 'ignore' });
  await old.until((told) => told.at(-1)?.fresh);
  await feed.refresh();
  server.lock(['a']);
  // An old watch does not ask for the marker; what asks for it makes all of them see it.
  feed.watch('a', late.tell);
  await late.until((told) => told.at(-1)?.reason === 'locked');
  await old.until((told) => told.at(-1).reason === 'locked');
  assert.deepEqual(seen(await feed.read('a')), ['a1', false, 'locked']);
  assert.deepEqual([seen(ignoring.told.at(-1)), ignoring.told.length], [['a1', true, null], 1], 'but who does not want to know');
  server.files.delete('.lock');
  await old.until((told) => told.at(-1).fresh);
  await late.until((told) => told.at(-1).fresh);
});

test('without a look for longer than the interval allows, nothing is fresh', async (t) => {
  const { server, feed } = await opened(t, FIRST, { intervalMs: 20, timeoutMs: 60_000 });
  const { told, tell, until } = taker();
  feed.watch('a', tell);
  const first = await until(() => told.length > 0);
  let looks = 0;
  t.after(feed.onLook(() => (looks += 1)));
  const back = away(server, { hung: true });
  await until(() => told.length > 1);
  assert.deepEqual(seen(told.at(-1)), ['a1', false, 'checking']);
  assert.deepEqual(seen(feed.judge(first)), ['a1', false, 'checking']);
  assert.ok(looks > 0);
  server.files.clear();
  back();
});

test('a watch is told when a look that it takes part in begins, and when it ends', async (t) => {
  const { server, feed } = await opened(t, FIRST);
  const { told, tell, until } = taker();
  const { told: checking, tell: onChecking, until: checkingUntil } = taker();
  feed.watch('a', tell, { onChecking });
  assert.deepEqual(checking, [], 'not before watch has returned');
  await until(() => told.length > 0);
  await checkingUntil(() => checking.length === 2);
  await feed.refresh();
  await checkingUntil(() => checking.length === 4);
  assert.deepEqual(checking, [true, false, true, false]);
  away(server);
  await feed.read('b').catch(() => {});
  await settled();
  assert.deepEqual([checking.length % 2, checking.at(-1)], [0, false]);
});

test('a listener of looks is called until it is ended, and its mistakes are its own', async (t) => {
  const { feed } = await opened(t, FIRST);
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  t.after(() => delete globalThis.reportError);
  let calls = 0;
  const stop = feed.onLook(() => {
    calls += 1;
    throw new Error('mine');
  });
  await feed.read('a');
  stop();
  await feed.read('a');
  assert.deepEqual([calls, reported], [1, ['mine']]);
  assert.throws(() => feed.onLook(), { code: 'invalid-options' });
});

test('an error that leaves nothing to read leaves what is shown, not fresh', async (t) => {
  const { server, feed } = await opened(t, FIRST);
  const { told, errors, tell, fail, until } = taker();
  let refuse = false;
  const guarded = await visit(t, server, {
    init: () => {
      if (refuse) throw new Error('signed out');
      return {};
    },
  });
  guarded.watch('a', tell, { onError: fail });
  await until(() => told.at(-1)?.fresh);
  refuse = true;
  await guarded.refresh();
  assert.deepEqual([errors.map(({ code }) => code), seen(told.at(-1))], [['invalid-options'], ['a1', false, 'offline']]);
  await sleep(0);
  assert.deepEqual(seen(await feed.read('a')), ['a1', true, null], 'another feed of the page is another matter');
});
