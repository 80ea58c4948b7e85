// How old a value may be, what stands in for one, and what is read as something that it is not.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { FakeCaches, installCaches } from './support/caches.mjs';
import { settling } from './support/settled.mjs';
import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const open = settling((await import(entry)).open);
const SALES = '[1]';
const PNG = { bytes: Buffer.from('png'), ext: 'png', type: 'image/png' };
const HOUR = 3_600_000;

beforeEach(() => {
  install(new FakeStorage());
  installCaches(new FakeCaches());
});

async function opened(options) {
  const server = await FeedServer.start();
  server.publish({ sales: SALES, stock: '[2]' }, { artifacts: { chart: PNG } });
  const feed = await open(server.url, { wasm, ...options });
  return { server, feed };
}

test('a copy older than "maxAge" is not handed out: it comes with the error', async (t) => {
  const { server, feed } = await opened();
  const now = Date.now();
  mock.timers.enable({ apis: ['Date'], now });
  t.after(() => mock.timers.reset());
  await feed.read('sales');
  await feed.artifact('chart');
  server.files.set('manifest.json', (_, response) => response.writeHead(500).end());
  mock.timers.setTime(now + HOUR);
  for (const options of [undefined, { maxAge: HOUR }]) assert.equal((await feed.read('sales', options)).reason, 'http');
  mock.timers.setTime(now + HOUR + 1);
  for (const visit of [feed, await open(server.url, { wasm, maxAge: HOUR })]) {
    const error = await visit.read('sales', { maxAge: HOUR }).catch((thrown) => thrown);
    assert.deepEqual([error.name, error.code, error.dataset], ['LastgoodError', 'too-old', 'sales']);
    assert.deepEqual([error.reading.data, error.reading.source, error.reading.reason], [[1], 'fallback', 'http']);
    await assert.rejects(visit.snapshot(['sales'], { maxAge: HOUR }), { code: 'too-old' });
    await assert.rejects(visit.artifact('chart', { maxAge: HOUR }), { code: 'too-old' });
  }
  assert.deepEqual((await feed.read('sales', { maxAge: 2 * HOUR })).data, [1], 'a call has its own limit');
});

test('the age is that of the last confirmation, so an unchanged dataset stays young', async (t) => {
  const { server, feed } = await opened({ maxAge: HOUR });
  const now = Date.now();
  mock.timers.enable({ apis: ['Date'], now });
  t.after(() => mock.timers.reset());
  await feed.read('sales');
  mock.timers.setTime(now + HOUR);
  await feed.read('sales');
  server.stop();
  mock.timers.setTime(now + 2 * HOUR);
  assert.equal((await feed.read('sales')).reason, 'offline');
});

test('a fallback stands in when the read would throw, and only then', async () => {
  const { server, feed } = await opened();
  assert.deepEqual((await feed.read('sales', { fallback: [] })).data, [1]);
  server.stop();
  assert.deepEqual((await feed.read('sales', { fallback: [] })).source, 'fallback', 'the copy is better');
  const reading = await feed.read('stock', { fallback: null });
  assert.deepEqual([reading.data, reading.source, reading.fresh, reading.reason], [null, 'initial', false, 'offline']);
  assert.match(reading.detail, /manifest\.json/);
  const nulls = ['generation', 'sha256', 'publishedAt', 'ageMs', 'checkedAt', 'meta', 'schemaVersion', 'cachedIn'];
  for (const name of nulls) assert.equal(reading[name], null, name);
  await assert.rejects(feed.read('stock', { fallback: undefined }), { code: 'offline' });
  await assert.rejects(feed.read('stock', { fallback: [], signal: AbortSignal.abort() }), { code: 'aborted' });
  await assert.rejects(feed.read('../stock', { fallback: [] }), { code: 'invalid-name' });
});

test('a snapshot is of one generation, whatever of it is cached', async () => {
  const { server, feed } = await opened();
  await feed.read('sales');
  server.publish({ sales: SALES, stock: '[3]' }, { generation: 2 });
  const { sales, stock } = await feed.snapshot(['sales', 'stock']);
  assert.deepEqual([sales.data, stock.data, sales.generation, stock.generation], [[1], [3], 2, 2]);
  assert.deepEqual([sales.source, stock.source], ['cache', 'network']);
  server.stop();
  const later = await (await open(server.url, { wasm })).snapshot(['sales', 'stock']);
  assert.deepEqual([later.sales.generation, later.stock.generation, later.stock.data], [2, 2, [3]]);
});

test('JSON is no artifact, and an artifact is no JSON', async () => {
  const { server, feed } = await opened();
  const refused = async (code) => {
    await assert.rejects(feed.artifact('sales'), { code });
    await assert.rejects(feed.read('chart'), { code });
  };
  await refused('wrong-kind');
  await feed.read('sales');
  await feed.artifact('chart');
  await refused('wrong-kind');
  server.stop();
  await refused('offline');
  assert.equal(await (await feed.artifact('chart')).data.text(), 'png');
});

test('a dataset that becomes an artifact is read as one', async () => {
  const { server, feed } = await opened();
  await feed.read('sales');
  server.publish({}, { generation: 2, artifacts: { sales: PNG } });
  const { data, reason } = await feed.read('sales');
  assert.deepEqual([data, reason], [[1], 'wrong-kind'], 'the copy from before');
  assert.equal(await (await feed.artifact('sales')).data.text(), 'png');
  server.stop();
  assert.equal(await (await (await open(server.url, { wasm })).artifact('sales')).data.text(), 'png');
});

test('an object URL is one for a blob, until it is revoked or the feed is closed', async () => {
  const { feed } = await opened();
  const first = await feed.artifact('chart');
  const url = first.objectUrl();
  assert.equal((await feed.artifact('chart')).objectUrl(), url);
  assert.equal(await (await fetch(url)).text(), 'png');
  first.revokeObjectUrl();
  await assert.rejects(fetch(url));
  const again = first.objectUrl();
  assert.notEqual(again, url);
  feed.close();
  await assert.rejects(fetch(again));
});
