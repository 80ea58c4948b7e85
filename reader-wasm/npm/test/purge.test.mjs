// What was taken back: a withdrawn dataset is told as that, and of what was purged no copy stays with any visitor who looks again.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { FakeCaches, installCaches } from './support/caches.mjs';
import { FeedServer, OTHER_FEED, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { settled } from './support/settled.mjs';
import { cacheEvents, FakeStorage, install } from './support/storage.mjs';

const { open } = await import(entry);
const AT = '2026-11-21T08:00:00.000Z';
const CARDS = '[{"card":"4111"}]';
const STOCK = '[1]';
const PNG = { bytes: Buffer.from('a face'), ext: 'png', type: 'image/png' };
/** More than a third of localStorage. */
const LARGE = JSON.stringify('4111'.repeat(450_000));

let storage;
let caches;
beforeEach(() => {
  storage = new FakeStorage();
  caches = new FakeCaches();
  install(() => storage);
  installCaches(() => caches);
});

const visit = (server, options = {}) => open(server.url, { wasm, ...options });
const purged = (...payloads) => Object.fromEntries(payloads.map((payload) => [sha256(payload), AT]));

async function inCaches() {
  const cache = await caches.open('lastgood:1');
  const texts = (await cache.keys()).map(async (request) => request.url + (await (await cache.match(request)).text()));
  return (await Promise.all(texts)).join();
}

/** Whether anything of a payload is still with the visitor: its bytes, or its digest. */
async function isHeld(payload, secret) {
  const all = storage.keys().map((key) => key + storage.getItem(key)).join() + (await inCaches());
  return all.includes(secret) || all.includes(sha256(payload));
}

test('a withdrawn dataset is told as withdrawn, and its copy is the last good one', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: CARDS, stock: STOCK });
  const feed = await visit(server);
  await feed.read('sales');
  server.publish({ stock: STOCK }, { generation: 2, noted: { withdrawn: { sales: AT } } });
  const copy = await feed.read('sales');
  assert.deepEqual([copy.source, copy.fresh, copy.reason], ['fallback', false, 'not-found']);
  assert.match(copy.detail, /"sales" was withdrawn from the feed at 2026-11-21T08:00:00\.000Z/);
  storage = new FakeStorage();
  await assert.rejects((await visit(server)).read('sales'), { code: 'not-found', message: /withdrawn/ });
});

test('no copy stays of what was purged, of whichever dataset, in this page and in later visits', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: CARDS, stock: STOCK, big: LARGE }, { artifacts: { face: PNG } });
  const feed = await visit(server);
  await feed.snapshot(['sales', 'stock', 'big']);
  await feed.artifact('face');
  await settled();
  const secrets = [[CARDS, '4111'], [LARGE, '41114111'], [PNG.bytes, 'a face']];
  for (const [payload, secret] of secrets) assert.ok(await isHeld(payload, secret), 'kept before');

  const noted = { withdrawn: { sales: AT, big: AT, face: AT }, purged: purged(CARDS, LARGE, PNG.bytes) };
  server.publish({ stock: STOCK }, { generation: 2, noted });
  // A look at any dataset of the feed is enough.
  assert.equal((await feed.read('stock')).fresh, true);
  for (const [payload, secret] of secrets) assert.equal(await isHeld(payload, secret), false, `${secret} is still there`);
  assert.ok(await isHeld(STOCK, '[1]'), 'what was not purged stays');
  await assert.rejects(feed.read('sales'), { code: 'not-found' });
  await assert.rejects(feed.artifact('face'), { code: 'not-found' });
  server.stop();
  await assert.rejects(feed.read('sales'), { code: 'offline' });
  await assert.rejects((await visit(server)).read('big'), { code: 'offline' });
  assert.equal((await (await visit(server)).read('stock')).reason, 'offline');
});

test('what was purged is not fallen back to when its replacement cannot be had', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: CARDS });
  await (await visit(server)).read('sales');
  server.publish({ sales: '[2]' }, { generation: 2, noted: { purged: purged(CARDS) } });
  server.files.set(`objects/${sha256('[2]')}.json`, (_, response) => response.writeHead(503).end());
  server.files.delete('sales.json');
  const later = await visit(server);
  await assert.rejects(later.read('sales'), { code: 'http' });
  assert.equal(await isHeld(CARDS, '4111'), false);
});

test('an expired or renewed feed is heeded all the same, and a replay of an older manifest is not', async () => {
  const server = await FeedServer.start();
  for (const options of [{ expiresAt: AT }, { feed: OTHER_FEED }]) {
    storage = new FakeStorage();
    server.publish({ sales: CARDS, stock: STOCK });
    await (await visit(server)).read('sales');
    server.publish({ stock: STOCK }, { generation: 2, noted: { purged: purged(CARDS) }, ...options });
    await (await visit(server)).read('stock').catch(() => {});
    assert.equal(await isHeld(CARDS, '4111'), false, JSON.stringify(options));
  }
  storage = new FakeStorage();
  server.publish({ sales: CARDS }, { generation: 3 });
  await (await visit(server)).read('sales');
  server.publish({ sales: CARDS }, { generation: 2, noted: { purged: purged(CARDS) } });
  assert.equal((await (await visit(server)).read('sales')).reason, 'regressed');
  assert.ok(await isHeld(CARDS, '4111'));
});

test('what is published again after it was purged is kept again', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: CARDS });
  const feed = await visit(server);
  await feed.read('sales');
  server.publish({ sales: '[2]' }, { generation: 2, noted: { purged: purged(CARDS) } });
  await feed.read('sales');
  assert.equal(await isHeld(CARDS, '4111'), false);
  server.publish({ sales: CARDS }, { generation: 3 });
  assert.equal((await feed.read('sales')).cachedIn, 'localStorage');
  server.stop();
  assert.equal((await (await visit(server)).read('sales')).reason, 'offline');
});

test('a read that began before the purge leaves no copy', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: CARDS, stock: STOCK });
  let begun;
  let answer;
  const asked = new Promise((resolve) => (begun = resolve));
  server.files.delete('sales.json');
  server.files.set(`objects/${sha256(CARDS)}.json`, (_, response) => {
    answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(CARDS);
    begun();
  });
  const feed = await visit(server);
  const reading = feed.read('sales');
  await asked;
  server.publish({ stock: STOCK }, { generation: 2, noted: { purged: purged(CARDS) } });
  await feed.read('stock');
  answer();
  assert.deepEqual((await reading).data, JSON.parse(CARDS), 'it was current when it was asked for');
  assert.equal(await isHeld(CARDS, '4111'), false);
});

test('storage that fails on the way ends no read', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: CARDS, stock: STOCK });
  const events = [];
  const feed = await visit(server, { onEvent: cacheEvents(events) });
  await feed.snapshot(['sales', 'stock']);
  storage.removeItem = () => {
    throw new Error('blocked');
  };
  server.publish({ stock: STOCK }, { generation: 2, noted: { purged: purged(CARDS) } });
  assert.equal((await feed.read('stock')).fresh, true);
});

test('a worker, which has no localStorage, drops what it kept too', async () => {
  install(() => undefined);
  const server = await FeedServer.start();
  server.publish({ sales: CARDS, stock: STOCK });
  await (await visit(server)).snapshot(['sales', 'stock']);
  await settled();
  assert.ok(await isHeld(CARDS, '4111'));
  server.publish({ stock: STOCK }, { generation: 2, noted: { purged: purged(CARDS) } });
  await (await visit(server)).read('stock');
  assert.equal(await isHeld(CARDS, '4111'), false);
  await settled();
  assert.equal((await (await visit(server)).read('stock')).source, 'cache');
});
