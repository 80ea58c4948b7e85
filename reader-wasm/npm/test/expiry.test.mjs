// The end of a dataset: it concerns that dataset alone, and what has expired is handed out with the reason.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open } = await import(entry);
const PAST = '2026-11-20T15:00:00.000Z';
const FUTURE = '9999-01-01T00:00:00.000Z';

let storage;
beforeEach(() => {
  storage = new FakeStorage();
  install(() => storage);
});

test('an expired dataset is handed out with the reason, and the others are fresh', async () => {
  const server = await FeedServer.start();
  server.publish({ forecast: '[1]', sales: '[2]', stock: '[3]' }, { ends: { forecast: PAST, sales: FUTURE } });
  const feed = await open(server.url, { wasm });
  const { forecast, sales, stock } = await feed.snapshot(['forecast', 'sales', 'stock']);
  assert.deepEqual([forecast.data, forecast.fresh, forecast.reason, forecast.source], [[1], false, 'expired', 'network']);
  assert.match(forecast.detail, /"forecast" expired at 2026-11-20T15:00:00\.000Z/);
  assert.deepEqual([sales.fresh, sales.reason, stock.fresh, stock.reason], [true, null, true, null]);
  // A later visit has a copy, which the manifest confirms; it is as expired as before.
  server.takeRequests();
  const later = await (await open(server.url, { wasm })).read('forecast');
  assert.deepEqual([later.data, later.reason, later.source], [[1], 'expired', 'cache']);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
});

test('a watch tells that it has expired, once, and that it was published again', async () => {
  const server = await FeedServer.start();
  server.publish({ forecast: '[1]' }, { ends: { forecast: PAST } });
  const feed = await open(server.url, { wasm });
  const values = [];
  let heard = () => {};
  const next = () => new Promise((resolve) => (heard = resolve));
  const first = next();
  const stop = feed.watch('forecast', (reading) => {
    values.push([reading.data, reading.reason]);
    heard();
  });
  await first;
  await feed.refresh();
  server.publish({ forecast: '[2]' }, { generation: 2, ends: { forecast: FUTURE } });
  const second = next();
  await feed.refresh();
  await second;
  stop();
  feed.close();
  assert.deepEqual(values, [[[1], 'expired'], [[2], null]]);
});
