// What is kept in Cache Storage: what does not fit localStorage, and everything where there is none. Nothing that it does can end a
// read or part what is known of a copy from the copy.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { FakeCaches, installCaches } from './support/caches.mjs';
import { FeedServer, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { settling } from './support/settled.mjs';
import { cacheEvents, FakeStorage, install } from './support/storage.mjs';

const open = settling((await import(entry)).open);
/** More than a third of localStorage. */
const large = (letter) => JSON.stringify(letter.repeat(1_800_000));
const SMALL = '[1]';
const PNG = { bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]), ext: 'png', type: 'image/png' };

let storage;
let caches;
beforeEach(() => {
  storage = new FakeStorage();
  caches = new FakeCaches();
  install(() => storage);
  installCaches(() => caches);
});

const types = (events) => events.map(({ type, dataset }) => (dataset ? `${type} ${dataset}` : type));

/** A server with what is published, an open feed on it, and the events of that feed. */
async function opened(datasets, { artifacts, ...options } = {}) {
  const server = await FeedServer.start();
  server.publish(datasets, { artifacts });
  const events = [];
  const feed = await open(server.url, { wasm, onEvent: cacheEvents(events), ...options });
  return { server, feed, events };
}

/** A later visit: a page of its own, which holds nothing in memory yet. */
const visit = (server, events = [], options = {}) =>
  open(server.url, { wasm, onEvent: cacheEvents(events), ...options });

/** The digests of the payloads in Cache Storage. */
async function kept() {
  const cache = await caches.open('lastgood:1');
  return (await cache.keys()).map(({ url }) => /\/([0-9a-f]{64})\?/.exec(url)?.[1]).filter(Boolean).sort();
}

/** Changes what is kept in Cache Storage under an address that has the text in it. */
async function alter(part, change) {
  const cache = await caches.open('lastgood:1');
  const [found] = [...cache.entries].filter(([url]) => url.includes(part));
  assert.ok(found, `${part} is kept`);
  change(cache.entries, ...found);
}

const headKey = (server, name) => `lastgood:1:${server.url}:${name}`;
const payloadKey = (server, name) => `${headKey(server, name)}:payload`;

test('a large payload is kept in Cache Storage, and what is known of it in localStorage', async () => {
  const { server, feed, events } = await opened({ big: large('x'), small: SMALL });
  assert.equal((await feed.read('big')).cachedIn, 'cacheStorage');
  assert.equal((await feed.read('small')).cachedIn, 'localStorage');
  assert.equal((await feed.read('big')).cachedIn, 'cacheStorage');
  assert.deepEqual(await kept(), [sha256(large('x'))]);
  assert.deepEqual([storage.getItem(payloadKey(server, 'big')), storage.getItem(payloadKey(server, 'small'))], [null, SMALL]);

  const later = await visit(server, events);
  server.takeRequests();
  const reading = await later.read('big');
  assert.deepEqual([reading.source, reading.fresh, reading.cachedIn], ['cache', true, 'cacheStorage']);
  assert.equal(reading.data.length, 1_800_000);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
  server.stop();
  const offline = await (await visit(server, events)).read('big');
  assert.deepEqual([offline.source, offline.reason, offline.data], ['fallback', 'offline', reading.data]);
  assert.deepEqual(events, []);
});

test('a page that answers its own requests from all caches does not find it', async () => {
  const { server, feed } = await opened({ big: large('x') });
  await feed.read('big');
  for (const path of ['big.json', 'manifest.json', `objects/${sha256(large('x'))}.json`]) {
    assert.equal(await caches.match(new Request(server.url + path)), undefined);
  }
});

test('an artifact is kept with its media type, and is the same blob until it changes', async () => {
  const { server, feed, events } = await opened({}, { artifacts: { chart: PNG } });
  const reading = await feed.artifact('chart');
  assert.deepEqual([reading.source, reading.cachedIn, reading.ext, reading.data.type], ['network', 'cacheStorage', 'png', 'image/png']);
  assert.equal((await feed.artifact('chart')).data, reading.data);

  const later = await visit(server, events);
  server.takeRequests();
  const [one, two] = await Promise.all([later.artifact('chart'), later.artifact('chart')]);
  assert.equal(one.data, two.data);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
  assert.deepEqual([one.source, one.data.type, Buffer.from(await one.data.arrayBuffer())], ['cache', 'image/png', PNG.bytes]);
  assert.equal(one.objectUrl(), two.objectUrl());

  const other = { ...PNG, bytes: Buffer.from('other') };
  server.publish({}, { generation: 2, artifacts: { chart: other } });
  const changed = await later.artifact('chart');
  assert.equal(await changed.data.text(), 'other');
  assert.notEqual(changed.objectUrl(), one.objectUrl());
  assert.deepEqual(await kept(), [sha256(other.bytes)]);
  server.stop();
  const offline = await (await visit(server, events)).artifact('chart');
  assert.deepEqual([await offline.data.text(), offline.reason, offline.ext], ['other', 'offline', 'png']);
  assert.deepEqual(events, []);
});

test('without Cache Storage an artifact is read without being kept, and says so', async (t) => {
  const cases = { 'not there': [undefined, 'auto'], 'not used': [new FakeCaches(), 'localStorage'] };
  for (const [name, [given, cache]] of Object.entries(cases)) {
    await t.test(name, async () => {
      installCaches(given);
      const { feed, events } = await opened({}, { artifacts: { chart: PNG }, cache });
      const reading = await feed.artifact('chart');
      assert.deepEqual([reading.cachedIn, reading.data.size], [null, PNG.bytes.length]);
      assert.deepEqual(types(events), ['cache-full chart']);
      assert.equal((await feed.artifact('chart')).data, reading.data);
    });
  }
});

test('what finds no room in localStorage, even when its own entries have gone, is kept in Cache Storage', async () => {
  storage.setItem('theirs', 'y'.repeat(4_000));
  storage.limit = 6_000;
  const { server, feed, events } = await opened({ sales: JSON.stringify('s'.repeat(5_000)) });
  assert.equal((await feed.read('sales')).cachedIn, 'cacheStorage');
  assert.deepEqual(events, []);
  server.stop();
  assert.equal((await (await visit(server, events)).read('sales')).data.length, 5_000);
  assert.deepEqual(events, []);
});

test('with the option "localStorage" Cache Storage is not touched', async () => {
  installCaches(() => assert.fail('it is touched'));
  const { server, feed } = await opened({ big: large('x') }, { cache: 'localStorage' });
  assert.equal((await feed.read('big')).cachedIn, 'localStorage');
  assert.equal(storage.getItem(payloadKey(server, 'big')).length, large('x').length);
});

test('a payload that shrinks or grows moves, and leaves nothing behind', async () => {
  const { server, feed, events } = await opened({ d: SMALL });
  await feed.read('d');
  server.publish({ d: large('x') }, { generation: 2 });
  assert.equal((await feed.read('d')).cachedIn, 'cacheStorage');
  assert.equal(storage.getItem(payloadKey(server, 'd')), null);
  server.publish({ d: large('y') }, { generation: 3 });
  await feed.read('d');
  assert.deepEqual(await kept(), [sha256(large('y'))]);
  server.publish({ d: SMALL }, { generation: 4 });
  assert.equal((await feed.read('d')).cachedIn, 'localStorage');
  assert.deepEqual(await kept(), []);
  server.stop();
  assert.deepEqual((await (await visit(server, events)).read('d')).data, [1]);
  assert.deepEqual(events, []);
});

test('an altered or lost payload is a miss and an event', async (t) => {
  const damages = {
    altered: (entries, url, kept) => entries.set(url, { ...kept, body: new TextEncoder().encode('"other"').buffer }),
    lost: (entries, url) => entries.delete(url),
  };
  for (const [name, damage] of Object.entries(damages)) {
    await t.test(name, async () => {
      const { server, feed, events } = await opened({ big: large('x') });
      await feed.read('big');
      await alter(sha256(large('x')), damage);
      const reading = await (await visit(server, events)).read('big');
      assert.deepEqual([reading.source, reading.data.length], ['network', 1_800_000]);
      assert.deepEqual(types(events), ['cache-corrupt big']);
      await alter(sha256(large('x')), damage);
      server.stop();
      await assert.rejects((await visit(server)).read('big'), { code: 'offline' });
    });
  }
});

test('what no head names is removed by the next payload that is kept, unless it is so new that its head may follow', async () => {
  const { server, feed } = await opened({ one: large('1'), two: large('2') });
  await feed.read('one');
  storage.removeItem(headKey(server, 'one'));
  await feed.read('two');
  assert.deepEqual(await kept(), [sha256(large('1')), sha256(large('2'))].sort());
  await alter(sha256(large('1')), (_, __, { headers }) => headers.set('x-lastgood-kept-at', '1000'));
  server.publish({ two: large('3') }, { generation: 2 });
  await feed.read('two');
  assert.deepEqual(await kept(), [sha256(large('3'))]);
});

test('when Cache Storage is full the least recently used of its own payloads go', async () => {
  const text = (letter) => JSON.stringify(letter.repeat(900));
  storage.limit = 3_000;
  storage.setItem('theirs', 'y'.repeat(1_000));
  caches.quota = 2_500;
  await (await caches.open('theirs')).put('https://example.org/', new Response('y'.repeat(100)));
  const artifact = (letter) => ({ bytes: Buffer.from(text(letter)), ext: 'txt', type: 'text/plain' });
  const { feed, events } = await opened({}, { artifacts: { a: artifact('a'), b: artifact('b'), c: artifact('c') } });
  for (const name of ['a', 'b', 'a', 'c']) {
    await feed.artifact(name);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.deepEqual(types(events), ['cache-evicted b']);
  assert.deepEqual(await kept(), [sha256(text('a')), sha256(text('c'))].sort());
  assert.ok(await caches.match('https://example.org/'));
  assert.equal((await feed.artifact('b')).cachedIn, null, 'what has gone is not written again');
});

test('what fits nowhere is handed out, and the copy before it stays usable', async () => {
  const { server, feed, events } = await opened({ big: large('x') });
  await feed.read('big');
  caches.quota = 2_000_000;
  storage.limit = 1_000;
  server.publish({ big: large('y') }, { generation: 2 });
  const reading = await feed.read('big');
  assert.deepEqual([reading.data[0], reading.cachedIn], ['y', null]);
  assert.deepEqual(types(events), ['cache-full big']);
  server.stop();
  assert.equal((await (await visit(server)).read('big')).data[0], 'x');
});

test('without localStorage, as in a worker, everything is kept in Cache Storage', async () => {
  install(undefined);
  const { server, feed, events } = await opened({ sales: SMALL }, { artifacts: { chart: PNG } });
  assert.equal((await feed.read('sales')).cachedIn, 'cacheStorage');
  await feed.artifact('chart');
  const later = await visit(server, events);
  server.takeRequests();
  const reading = await later.read('sales');
  assert.deepEqual([reading.source, reading.cachedIn, reading.data], ['cache', 'cacheStorage', [1]]);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);

  server.publish({ sales: '[5]' }, { generation: 5 });
  await later.read('sales');
  server.publish({ sales: '[4]' }, { generation: 4 });
  const regressed = await (await visit(server, events)).read('sales');
  assert.deepEqual([regressed.reason, regressed.data], ['regressed', [5]]);
  server.stop();
  assert.equal((await (await visit(server, events)).artifact('chart')).reason, 'offline');
  assert.deepEqual(events, []);
});

test('a worker and a page do not remove what the other keeps', async () => {
  const { server, feed } = await opened({ big: large('x') });
  await feed.read('big');
  install(undefined);
  const worker = await visit(server);
  await worker.read('big');
  const { entries } = await caches.open('lastgood:1');
  for (const { headers } of entries.values()) headers.set('x-lastgood-kept-at', '1000');
  server.publish({ big: large('y') }, { generation: 2 });
  await worker.read('big');
  install(() => storage);
  server.stop();
  assert.equal((await (await visit(server)).read('big')).data[0], 'x');
});
