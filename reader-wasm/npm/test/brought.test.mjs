// A page that a server has rendered brings its readings along: they are shown at once, and what is in them is not downloaded again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';

const { open } = await import(entry);

/** What a server hands to a page, as text. */
async function rendered(server) {
  const feed = await open(server.url, { wasm });
  const reading = await feed.read('sales');
  feed.close();
  server.takeRequests();
  return JSON.parse(JSON.stringify(reading));
}

test('what a server has rendered is confirmed, and not downloaded again', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[1,{"a":"ü"}]' }, { generation: 3 });
  const fallback = await rendered(server);
  const feed = await open(server.url, { wasm });
  const reading = await feed.read('sales', { fallback });
  assert.deepEqual([reading.data, reading.fresh, reading.generation], [fallback.data, true, 3]);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
});

test('a watch shows it at first, with its age and generation', async (t) => {
  const server = await FeedServer.start();
  server.publish({ sales: '[1]' }, { generation: 3 });
  const fallback = await rendered(server);
  const feed = await open(server.url, { wasm });
  t.after(() => feed.close());
  const told = [];
  await new Promise((done) => {
    feed.watch('sales', (reading) => told.push(reading) === 2 && done(), { fallback });
  });
  const [{ source, reason, generation, publishedAt, ageMs }, { fresh }] = told;
  assert.deepEqual([source, reason, generation, publishedAt], ['initial', 'pending', 3, fallback.publishedAt]);
  assert.equal(typeof ageMs, 'number');
  assert.equal(fresh, true);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
});

test('what is not what was published, to the byte, is downloaded', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[1, 2.0]' });
  const fallback = await rendered(server);
  const read = async (brought) => (await (await open(server.url, { wasm })).read('sales', { fallback: brought })).data;
  assert.deepEqual(await read(fallback), [1, 2]);
  assert.ok(server.takeRequests().includes('sales.json'), 'written in another way');
  server.publish({ sales: '[1]' }, { generation: 2 });
  const before = await rendered(server);
  assert.deepEqual(await read({ ...before, data: ['forged'] }), [1]);
  server.publish({ sales: '[2]' }, { generation: 3 });
  assert.deepEqual(await read(before), [2]);
  assert.deepEqual(await read([1]), [2], 'a value is no reading');
});

test('when nothing can be read, it is handed out as what it is', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[1]' });
  const fallback = await rendered(server);
  server.stop();
  const reading = await (await open(server.url, { wasm })).read('sales', { fallback });
  const { source, reason, fresh, sha256, data } = reading;
  assert.deepEqual([source, reason, fresh, sha256, data], ['initial', 'offline', false, fallback.sha256, [1]]);
});
