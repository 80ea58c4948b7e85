// Storage that fails, hangs or is written by others at any moment, each of them in turn.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { FakeCaches, installCaches } from './support/caches.mjs';
import { FeedServer, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { settled, settling } from './support/settled.mjs';
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

/** From a small value to a large one and back: every way that payloads move between the stores. */
const MOVES = [
  ['"a"', large('b')],
  [large('a'), large('b')],
  [large('a'), '"b"'],
];

test('a page that is closed at any moment while it writes leaves a copy that can be used, or none', async (t) => {
  for (const where of ['page', 'worker']) {
    for (const [before, after] of MOVES) {
      await t.test(`${where}: ${before.length} to ${after.length}`, async () => {
        for (let at = 1; ; at += 1) {
          storage = where === 'page' ? new FakeStorage() : undefined;
          caches = new FakeCaches();
          uncounted();
          const { server, feed } = await opened({ d: before });
          await feed.read('d');
          server.publish({ d: after }, { generation: 2 });
          // From this call on, nothing is done any more.
          const calls = counted((number) => {
            if (number >= at) throw new Error('the page is gone');
          });
          await feed.read('d');
          const total = calls();
          uncounted();
          server.stop();
          const events = [];
          const { data } = await (await visit(server, events)).read('d');
          assert.ok([before, after].includes(JSON.stringify(data)), `after ${at} calls`);
          assert.deepEqual(events, [], `after ${at} calls`);
          if (total < at) {
            assert.ok(at > 4);
            assert.equal(JSON.stringify(data), after);
            return;
          }
        }
      });
    }
  }
});

test('each operation of Cache Storage may fail: the reading comes all the same', async (t) => {
  for (const where of ['page', 'worker']) {
    await t.test(where, async () => {
      for (let at = 1; ; at += 1) {
        storage = where === 'page' ? new FakeStorage() : undefined;
        caches = new FakeCaches();
        uncounted();
        const { server, feed, events } = await opened({ d: large('a') });
        const calls = counted((number) => {
          if (number === at) throw new DOMException('The operation is insecure.', 'SecurityError');
        });
        assert.equal((await feed.read('d')).data[0], 'a');
        server.publish({ d: large('b') }, { generation: 2 });
        assert.equal((await feed.read('d')).data[0], 'b');
        assert.equal((await (await visit(server, events)).read('d')).data[0], 'b');
        const total = calls();
        uncounted();
        assert.ok(events.every(({ type }) => ['cache-unavailable', 'cache-full', 'cache-corrupt'].includes(type)));
        server.stop();
        if (total < at) return assert.ok(at > 10);
      }
    });
  }
});

test('Cache Storage that does not exist, is blocked or throws is an event, once, and localStorage is used', async (t) => {
  const blocked = () => {
    throw new DOMException('Access is denied.', 'SecurityError');
  };
  const rejecting = { open: async () => blocked() };
  const throwing = { open: blocked };
  for (const [name, [given, told]] of Object.entries({
    absent: [undefined, []],
    blocked: [blocked, []],
    rejecting: [rejecting, ['cache-unavailable']],
    throwing: [throwing, ['cache-unavailable']],
  })) {
    await t.test(name, async () => {
      installCaches(given);
      const { server, feed, events } = await opened({ d: large('a') });
      assert.equal((await feed.read('d')).cachedIn, 'localStorage');
      server.publish({ d: large('b') }, { generation: 2 });
      assert.equal((await feed.read('d')).cachedIn, 'localStorage');
      assert.deepEqual(events.map(({ type }) => type), told);
    });
  }
});

test('Cache Storage that never answers holds up one read for three seconds, and no later one', async (t) => {
  const { server, feed } = await opened({ d: large('a') });
  await feed.read('d');
  let asked = 0;
  installCaches({
    open: () => {
      asked += 1;
      return new Promise(() => {});
    },
  });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const events = [];
  const later = await visit(server, events, { timeoutMs: 1_000_000 });
  const reading = later.read('d');
  while (asked === 0) await turn();
  mock.timers.tick(2_999);
  assert.equal(await Promise.race([reading, turn().then(() => 'waiting')]), 'waiting');
  mock.timers.tick(1);
  assert.deepEqual([(await reading).source, events[0].type], ['network', 'cache-unavailable']);
  assert.match(events[0].detail, /not answered for 3000 ms/);
  const before = asked;
  assert.equal((await later.read('d')).data[0], 'a');
  assert.equal(asked, before);
});

test('a value does not wait for its copy, and the reading says what is true', async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let writing = false;
  const real = caches;
  installCaches({
    open: async (name) => {
      const cache = await real.open(name);
      const put = async (...given) => {
        writing = true;
        await held;
        await cache.put(...given);
      };
      return instead(cache, { put });
    },
  });
  const events = [];
  const onEvent = (event) => event.type.startsWith('cache') && events.push(event);
  const { server, feed } = await opened({ d: large('a') }, { onEvent });
  const first = await feed.read('d');
  assert.deepEqual([writing, first.cachedIn], [true, null]);
  assert.deepEqual(events, []);
  release();
  await settled();
  assert.equal(first.cachedIn, 'cacheStorage');
  assert.deepEqual(events, [{ type: 'cached', dataset: 'd', in: 'cacheStorage' }]);
  const second = await feed.read('d');
  assert.deepEqual([second.source, second.cachedIn, second.data], ['cache', 'cacheStorage', first.data]);
  events.length = 0;
  server.stop();
  assert.equal((await (await visit(server)).read('d')).data[0], 'a');
  assert.deepEqual(events, []);
});

test('a tab that has replaced the copy meanwhile was faster: nothing is corrupt', async () => {
  const { server, feed } = await opened({ d: large('a') });
  await feed.read('d');
  const real = caches;
  const digest = sha256(large('a'));
  let overtaken = false;
  const events = [];
  const slow = await visit(server, events);
  // While this tab looks for its copy, another one replaces it.
  installCaches({
    open: async (name) => {
      const cache = await real.open(name);
      const match = async (request) => {
        if (!overtaken && String(request).includes(digest)) {
          overtaken = true;
          server.publish({ d: large('b') }, { generation: 2 });
          server.files.set(`objects/${digest}.json`, large('a'));
          await (await visit(server, events)).read('d');
        }
        return cache.match(request);
      };
      return instead(cache, { match });
    },
  });
  const reading = await slow.read('d');
  assert.ok(overtaken);
  assert.deepEqual([reading.data[0], reading.generation, reading.source], ['a', 1, 'network']);
  assert.deepEqual(events, []);
  server.stop();
  assert.equal((await (await visit(server, events)).read('d')).data[0], 'b', 'the later copy has stayed');
  assert.deepEqual(events, []);
});

test('a slow write of an older generation does not replace a later copy', async () => {
  const { server, feed, events } = await opened({ d: large('a') });
  const real = caches;
  let later;
  installCaches({
    open: async (name) => {
      const cache = await real.open(name);
      const put = async (...given) => {
        await cache.put(...given);
        if (later) return;
        later = true;
        server.publish({ d: large('b') }, { generation: 2 });
        await (await visit(server, events)).read('d');
      };
      return instead(cache, { put });
    },
  });
  const reading = await feed.read('d');
  // The other page waits for its copy too.
  await settled();
  await settled();
  assert.deepEqual([reading.data[0], reading.cachedIn], ['a', null]);
  const kept = [...(await real.open('lastgood:1')).entries.keys()].map((url) => /\/([0-9a-f]{64})\?/.exec(url)?.[1]);
  assert.deepEqual(kept, [sha256(large('b'))]);
  server.stop();
  assert.equal((await (await visit(server, events)).read('d')).data[0], 'b');
  assert.deepEqual(events, []);
});

test('a large value that is held can be read in another shape without a download', async () => {
  const text = `{"id":9007199254740993,"pad":"${'x'.repeat(1_800_000)}"}`;
  const { server, feed } = await opened({ d: text }, { cache: 'none' });
  assert.equal((await feed.read('d')).data.id, 9007199254740992);
  server.takeRequests();
  assert.equal((await feed.read('d', { numbers: 'string' })).data.id, '9007199254740993');
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
});

/** The cache with other operations in the place of some. */
function instead(cache, operations) {
  const names = ['match', 'put', 'delete', 'keys'];
  return { ...Object.fromEntries(names.map((name) => [name, cache[name].bind(cache)])), ...operations };
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}
