// What was handed out together, in storage: whatever is read alone, and whenever a page is closed, it can be handed out together again.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { FakeCaches, installCaches } from './support/caches.mjs';
import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { settling } from './support/settled.mjs';
import { cacheEvents, FakeStorage, install } from './support/storage.mjs';

const open = settling((await import(entry)).open);
const large = (letter) => JSON.stringify(letter.repeat(1_800_000));

let storage;
let caches;
beforeEach(() => {
  storage = new FakeStorage();
  caches = new FakeCaches();
  install(() => storage);
  installCaches(() => caches);
});

async function opened(datasets, options) {
  const server = await FeedServer.start();
  server.publish(datasets);
  const events = [];
  const feed = await visit(server, events, options);
  return { server, feed, events };
}

const visit = (server, events = [], options = {}) =>
  open(server.url, { wasm, onEvent: cacheEvents(events), ...options });

/** The stores with every call counted; `meddle` is called before each with its number and its name, and may throw. */
function counted(meddle) {
  let calls = 0;
  const step = (name) => meddle((calls += 1), name);
  const watched = (target, names) =>
    new Proxy(target, {
      get(_, name) {
        const value = target[name];
        if (typeof value !== 'function') return value;
        return (...given) => {
          if (names.includes(name)) step(name);
          const result = value.apply(target, given);
          return name === 'open' ? result.then((cache) => watched(cache, ['match', 'put', 'delete', 'keys'])) : result;
        };
      },
    });
  install(storage && watched(storage, ['getItem', 'setItem', 'removeItem']));
  installCaches(watched(caches, ['open']));
  return () => calls;
}

/** Undoes {@link counted}. */
function uncounted() {
  install(storage);
  installCaches(caches);
}

/** What one of two datasets becomes when it is read alone, and then both together; each small, or too large for localStorage. */
const PARTED = [
  [['"a1"', '"b1"'], ['"a2"', '"b2"'], ['"a3"', '"b3"']],
  [[large('a'), '"b1"'], ['"a2"', '"b2"'], [large('c'), '"b3"']],
];

test('a page that is closed at any moment leaves a snapshot that was handed out together', async (t) => {
  for (const where of ['page', 'worker']) {
    for (const [first, second, third] of PARTED) {
      await t.test(`${where}: ${first[0].length} to ${second[0].length}`, async () => {
        const pair = ([a, b]) => ({ a, b });
        for (let at = 1; ; at += 1) {
          storage = where === 'page' ? new FakeStorage() : undefined;
          caches = new FakeCaches();
          uncounted();
          const { server, feed } = await opened(pair(first));
          await feed.snapshot(['a', 'b']);
          const calls = counted((number) => {
            if (number >= at) throw new Error('the page is gone');
          });
          server.publish(pair(second), { generation: 2 });
          await feed.read('a');
          server.publish(pair(third), { generation: 3 });
          await feed.snapshot(['a', 'b']);
          const total = calls();
          uncounted();
          server.stop();
          const { a, b } = await (await visit(server)).snapshot(['a', 'b']);
          const found = JSON.stringify([a, b].map(({ data }) => JSON.stringify(data)));
          assert.ok([first, third].some((known) => JSON.stringify(known) === found), `after ${at} calls: ${found.slice(0, 40)}`);
          if (total < at) {
            assert.equal(found, JSON.stringify(third));
            return;
          }
          // In steps of one to three, so that every kind of call is met.
          at += at % 3;
        }
      });
    }
  }
});

test('where there is no room for both, a snapshot comes before what is read alone', async () => {
  const text = (letter) => JSON.stringify(letter.repeat(2000));
  const { server, feed, events } = await opened({ a: text('a'), b: '"b1"' }, { cache: 'localStorage' });
  await feed.snapshot(['a', 'b']);
  storage.limit = 5000;
  server.publish({ a: text('c'), b: '"b2"' }, { generation: 2 });
  const alone = await feed.read('a');
  assert.deepEqual([alone.data[0], alone.cachedIn], ['c', null]);
  assert.deepEqual(events.map(({ type }) => type), ['cache-full']);
  const both = await feed.snapshot(['a', 'b']);
  assert.deepEqual([both.a.data[0], both.b.data], ['c', 'b2']);
  server.publish({ a: text('d'), b: '"b3"' }, { generation: 3 });
  assert.equal((await feed.snapshot(['a', 'b'])).a.cachedIn, 'localStorage', 'as a whole, the later one takes its place');
  server.stop();
  const { a, b } = await (await visit(server)).snapshot(['a', 'b']);
  assert.deepEqual([a.data[0], b.data], ['d', 'b3']);
});

test('of what was handed out together, nothing is left behind when it is no longer named', async () => {
  const { server, feed } = await opened({ a: '"a1"', b: '"b1"' });
  for (let generation = 2; generation < 8; generation += 1) {
    await feed.snapshot(['a', 'b']);
    server.publish({ a: `"a${generation}"`, b: `"b${generation}"` }, { generation });
    await feed.read('a');
  }
  await feed.snapshot(['a', 'b']);
  const keys = storage.keys().map((key) => key.slice(`lastgood:1:${server.url}`.length));
  assert.deepEqual(keys, ['', ':+sets', ':a', ':a:payload', ':b', ':b:payload']);
});

test('where localStorage is full, what is known of copies is in Cache Storage too', async () => {
  storage.limit = 0;
  const { server, feed, events } = await opened({ a: '"a1"', b: '"b1"' });
  const { a } = await feed.snapshot(['a', 'b']);
  assert.equal(a.cachedIn, 'cacheStorage');
  assert.deepEqual(events, []);
  server.publish({ a: '"a0"', b: '"b0"' }, { generation: 1, commit: 'f'.repeat(32) });
  const later = await (await visit(server)).snapshot(['a', 'b']);
  assert.deepEqual([later.a.data, later.a.reason], ['a1', 'regressed'], 'also what was seen of the feed');
  // Later, there is room again.
  storage.limit = 5_242_879;
  server.publish({ a: '"a2"', b: '"b2"' }, { generation: 2 });
  await (await visit(server)).snapshot(['a', 'b']);
  server.stop();
  const last = await (await visit(server)).snapshot(['a', 'b']);
  assert.deepEqual([last.a.data, last.b.data, last.a.cachedIn], ['a2', 'b2', 'localStorage']);
});
