// What is kept between visits, and that nothing that storage does can end a read.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { FeedServer, OTHER_FEED, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { cacheEvents, FakeStorage, install } from './support/storage.mjs';

const { open } = await import(entry);
const SALES = '[{"day":"2026-11-20","sum":1.50}]';

let storage;
beforeEach(() => {
  storage = new FakeStorage();
  install(() => storage);
});

/** A server with one dataset, an open feed on it, and the events of that feed. */
async function opened(datasets = { sales: SALES }, options) {
  const server = await FeedServer.start();
  server.publish(datasets);
  const events = [];
  const feed = await open(server.url, { wasm, onEvent: cacheEvents(events), ...options });
  return { server, feed, events };
}

/** A later visit: a page of its own, which holds nothing in memory yet. */
const visit = (server, events = []) => open(server.url, { wasm, onEvent: cacheEvents(events) });

const payloadKey = (server, name = 'sales') => `lastgood:1:${server.url}:${name}:payload`;
const headKey = (server, name = 'sales') => `lastgood:1:${server.url}:${name}`;

test('a later visit downloads no payload', async () => {
  const { server, feed, events } = await opened();
  await feed.read('sales');
  server.takeRequests();
  const reading = await (await visit(server, events)).read('sales');
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
  assert.deepEqual([reading.source, reading.fresh, reading.reason], ['cache', true, null]);
  assert.deepEqual(reading.data, [{ day: '2026-11-20', sum: 1.5 }]);
  assert.equal(storage.getItem(payloadKey(server)), SALES);
  assert.deepEqual(events, []);
});

test('of two datasets with the same bytes, each is said of its own copy', async () => {
  const text = JSON.stringify('x'.repeat(3000));
  const { server, feed } = await opened({ first: text, second: text }, { cache: 'localStorage' });
  // Without plain copies to guess, both come in one download. There is room for one copy.
  for (const name of ['first', 'second']) server.files.delete(`${name}.json`);
  storage.limit = 6500;
  const { first, second } = await feed.snapshot(['first', 'second']);
  assert.equal(server.takeRequests().filter((path) => path.startsWith('objects/')).length, 1);
  assert.deepEqual([first.cachedIn, second.cachedIn], ['localStorage', null]);
});

test('within a visit the value is the same object until it changes', async () => {
  const { server, feed } = await opened();
  const [first, second] = [await feed.read('sales'), await feed.read('sales')];
  assert.equal(second.data, first.data);
  assert.deepEqual([first.source, second.source], ['network', 'cache']);
  const [third, fourth] = await Promise.all([feed.read('sales'), feed.snapshot(['sales'])]);
  assert.equal(third.data, first.data);
  assert.equal(fourth.sales.data, first.data);
  server.publish({ sales: '[2]' }, { generation: 2 });
  assert.deepEqual((await feed.read('sales')).data, [2]);
});

test('with the option "none" nothing is kept for later visits', async () => {
  const { server, feed, events } = await opened(undefined, { cache: 'none' });
  assert.equal((await feed.read('sales')).cachedIn, null);
  assert.deepEqual(storage.keys(), []);
  server.takeRequests();
  await feed.read('sales');
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
  await (await open(server.url, { wasm, cache: 'none' })).read('sales');
  assert.ok(server.takeRequests().includes('sales.json'));
  assert.deepEqual(events, []);
});

test('an update replaces the cached copy', async () => {
  const { server, feed } = await opened();
  await feed.read('sales');
  server.publish({ sales: '[2]' }, { generation: 2 });
  const reading = await feed.read('sales');
  assert.deepEqual([reading.data, reading.source, reading.generation], [[2], 'network', 2]);
  assert.equal(storage.getItem(payloadKey(server)), '[2]');
});

test('without the server the cached copy is handed out with the reason, in a later visit too', async () => {
  const { server, feed } = await opened();
  await feed.read('sales');
  server.stop();
  for (const visit of [feed, await open(server.url, { wasm })]) {
    const reading = await visit.read('sales');
    assert.deepEqual([reading.source, reading.fresh, reading.reason], ['fallback', false, 'offline']);
    assert.match(reading.detail, /manifest\.json: the request did not get through/);
    assert.deepEqual(reading.data, [{ day: '2026-11-20', sum: 1.5 }]);
  }
});

test('while a commit is in progress the cached copy is handed out at once', async () => {
  const { server, feed } = await opened();
  await feed.read('sales');
  server.lock(['sales']);
  const reading = await feed.read('sales');
  assert.deepEqual([reading.source, reading.fresh, reading.reason], ['cache', false, 'locked']);
});

test('a cached snapshot is handed out when it is of one generation, or as it was last handed out', async () => {
  const { server, feed } = await opened({ sales: SALES, stock: '[1]' });
  await feed.snapshot(['sales', 'stock']);
  const manifest = server.files.get('manifest.json');
  server.files.set('manifest.json', (_, response) => response.writeHead(503).end());
  const snapshot = await feed.snapshot(['sales', 'stock']);
  assert.deepEqual([snapshot.sales.reason, snapshot.stock.reason], ['http', 'http']);

  server.files.set('manifest.json', manifest);
  server.publish({ sales: '[3]', stock: '[3]' }, { generation: 3 });
  await feed.read('sales');
  server.files.set('manifest.json', (_, response) => response.writeHead(503).end());
  const last = await feed.snapshot(['sales', 'stock']);
  assert.deepEqual([last.sales.data, last.stock.data, last.stock.generation], [JSON.parse(SALES), [1], 1]);
  assert.deepEqual((await feed.read('sales')).data, [3]);
  // What never was handed out together is not put together.
  await assert.rejects((await visit(server)).snapshot(['stock', 'sales', 'none']), { code: 'http' });
  const apart = await opened({ sales: SALES, stock: '[1]' });
  await apart.feed.read('stock');
  apart.server.publish({ sales: '[3]', stock: '[3]' }, { generation: 3 });
  await apart.feed.read('sales');
  apart.server.stop();
  await assert.rejects(apart.feed.snapshot(['sales', 'stock']), { code: 'inconsistent' });
});

test('an altered payload is not handed out; it is downloaded again', async (t) => {
  const lone = SALES.replace('2026', '\ud800');
  for (const altered of [SALES.replace('1.50', '9.50'), '', 'not JSON', lone]) {
    await t.test(JSON.stringify(altered), async () => {
      const { server, feed, events } = await opened();
      await feed.read('sales');
      storage.setItem(payloadKey(server), altered);
      server.takeRequests();
      const reading = await (await visit(server, events)).read('sales');
      assert.deepEqual([reading.data, reading.source], [JSON.parse(SALES), 'network']);
      assert.deepEqual(events.map(({ type, dataset }) => [type, dataset]), [['cache-corrupt', 'sales']]);
      assert.ok(server.takeRequests().includes(`objects/${sha256(SALES)}.json`));
      assert.equal(storage.getItem(payloadKey(server)), SALES);
    });
  }
});

test('half a surrogate pair does not pass for the character that UTF-8 puts in its place', async () => {
  const text = '["\ufffd"]';
  const { server, feed } = await opened({ sales: text });
  await feed.read('sales');
  storage.setItem(payloadKey(server), '["\ud800"]');
  server.stop();
  const { data } = await (await visit(server)).read('sales');
  assert.deepEqual(data, ['\ufffd']);
});

test('without the server an altered payload is an error, not data', async () => {
  const { server, feed } = await opened();
  await feed.read('sales');
  storage.setItem(payloadKey(server), SALES.replace('1.50', '9.50'));
  server.stop();
  await assert.rejects((await visit(server)).read('sales'), { code: 'offline' });
  assert.deepEqual((await feed.read('sales')).data, JSON.parse(SALES), 'this page has it in memory');
});

test('a damaged head or a lost payload is a miss and an event', async (t) => {
  const damages = {
    'head': (server) => storage.setItem(headKey(server), '{"feed":1}'),
    'payload': (server) => storage.removeItem(payloadKey(server)),
  };
  for (const [name, damage] of Object.entries(damages)) {
    await t.test(name, async () => {
      const { server, feed, events } = await opened();
      await feed.read('sales');
      damage(server);
      assert.deepEqual((await (await visit(server, events)).read('sales')).source, 'network');
      assert.deepEqual(events.map(({ type }) => type), ['cache-corrupt']);
      assert.equal((await (await visit(server, events)).read('sales')).source, 'cache');
    });
  }
});

test('damaged memory of the feed is forgotten', async () => {
  const { server } = await opened();
  storage.setItem(`lastgood:1:${server.url}`, 'x');
  const feed = await open(server.url, { wasm });
  assert.equal((await feed.read('sales')).fresh, true);
});

test('storage that is absent, blocked or broken is an event, once', async (t) => {
  const throwing = new FakeStorage();
  for (const name of ['getItem', 'setItem', 'removeItem', 'key']) {
    throwing[name] = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
  }
  const blocked = () => {
    throw new DOMException('Access is denied for this document.', 'SecurityError');
  };
  for (const [name, given] of Object.entries({ absent: undefined, none: null, blocked, throwing })) {
    await t.test(name, async () => {
      install(given);
      const { feed, events } = await opened();
      assert.deepEqual([(await feed.read('sales')).source, (await feed.read('sales')).source], ['network', 'cache']);
      assert.equal((await feed.read('sales')).cachedIn, null);
      const unavailable = events.filter(({ type }) => type === 'cache-unavailable');
      assert.equal(unavailable.length, 1);
      assert.ok(unavailable[0].detail.length > 10);
    });
  }
});

test('a manifest older than one of an earlier visit is refused', async () => {
  const { server, feed } = await opened();
  server.publish({ sales: '[5]' }, { generation: 5 });
  await feed.read('sales');
  server.publish({ sales: '[4]' }, { generation: 4 });
  const later = await open(server.url, { wasm });
  const reading = await later.read('sales');
  assert.deepEqual([reading.data, reading.source, reading.reason], [[5], 'fallback', 'regressed']);

  server.publish({ sales: '[1]' }, { generation: 1, feed: OTHER_FEED });
  const again = await later.read('sales');
  assert.deepEqual([again.data, again.fresh], [[1], true]);
});

test('a slower read of an older generation does not replace what a faster one has kept', async () => {
  const { server, feed } = await opened();
  const older = server.files.get('manifest.json');
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const asked = new Promise((resolve) => {
    server.files.set('manifest.json', async (_, response) => {
      resolve();
      await held;
      response.end(older);
    });
  });
  const slow = feed.read('sales');
  await asked;
  server.publish({ sales: '[2]' }, { generation: 2 });
  server.files.set(`objects/${sha256(SALES)}.json`, SALES);
  // In another tab: in this one, it would share the request that is under way.
  await (await visit(server)).read('sales');
  release();
  assert.equal((await slow).generation, 1);
  assert.equal(storage.getItem(payloadKey(server)), '[2]');
  assert.deepEqual((await feed.read('sales')).data, [2]);
});

test('when storage is full the least recently used of its own entries go', async () => {
  const big = (letter) => JSON.stringify(letter.repeat(900));
  storage.limit = 3600;
  storage.setItem('theirs', 'y'.repeat(100));
  storage.setItem('lastgood:theirs:payload', 'y');
  const { server, feed, events } = await opened({ a: big('a'), b: big('b'), c: big('c') });
  await feed.read('a');
  await feed.read('b');
  // Used again, so that b is the least recently used.
  await new Promise((resolve) => setTimeout(resolve, 2));
  await feed.read('a');
  await feed.read('c');
  assert.deepEqual(events, [{ type: 'cache-evicted', dataset: 'b' }]);
  assert.equal(storage.getItem(payloadKey(server, 'b')), null);
  assert.equal(storage.getItem(headKey(server, 'b')), null);
  assert.equal(storage.getItem(payloadKey(server, 'c')), big('c'));
  assert.equal(storage.getItem('theirs'), 'y'.repeat(100));
  assert.equal(storage.getItem('lastgood:theirs:payload'), 'y');
  assert.deepEqual([(await feed.read('a')).source, (await feed.read('c')).source], ['cache', 'cache']);
});

test('a payload that does not fit is handed out, and the copy before it stays usable', async () => {
  storage.limit = 2000;
  const { server, feed, events } = await opened();
  await feed.read('sales');
  const large = JSON.stringify('x'.repeat(5000));
  server.publish({ sales: large }, { generation: 2 });
  const reading = await feed.read('sales');
  assert.deepEqual([reading.data.length, reading.fresh], [5000, true]);
  assert.deepEqual(events.map(({ type, dataset }) => [type, dataset]), [['cache-full', 'sales']]);
  assert.equal(reading.cachedIn, null);
  server.stop();
  assert.equal((await feed.read('sales')).data, reading.data, 'this page has it in memory');
  const cached = await (await visit(server)).read('sales');
  assert.deepEqual([cached.data, cached.generation, cached.reason], [JSON.parse(SALES), 1, 'offline']);
});

test('a payload whose head does not fit takes up no space', async () => {
  const { server, feed, events } = await opened({ sales: SALES });
  // Room for the memory of the feed and the payload, but not for the head.
  const put = storage.setItem.bind(storage);
  storage.setItem = (key, value) => {
    if (key === headKey(server)) throw new DOMException('full', 'QuotaExceededError');
    put(key, value);
  };
  assert.equal((await feed.read('sales')).fresh, true);
  assert.deepEqual(events.map(({ type }) => type), ['cache-full']);
  assert.deepEqual(storage.keys(), [`lastgood:1:${server.url}`]);
});

test('a dataset named payload is told from a payload', async () => {
  storage.limit = 1500;
  const { server, feed, events } = await opened({ payload: '[1]', large: JSON.stringify('x'.repeat(900)) });
  await feed.read('payload');
  await feed.read('large');
  assert.ok(storage.getItem(`lastgood:1:${server.url}`), 'the memory of the feed is kept');
  assert.deepEqual(events.map(({ type, dataset }) => [type, dataset]), [['cache-evicted', 'payload']]);
});
