// Watches of a feed on a real server: what they cost, what they tell, and how they end.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { FeedServer, sha256 } from './support/feed.mjs';
import { directory, entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open, LastgoodError } = await import(entry);
const LOOK = ['manifest.json'];

/** A feed that looks when it is told to: no test waits for an interval. */
async function watched(t, datasets, options = {}) {
  const server = await FeedServer.start();
  server.publish(datasets);
  const feed = await open(server.url, { wasm, minIntervalMs: 1, intervalMs: 3_600_000, ...options });
  t.after(() => feed.close());
  return { server, feed };
}

/** What a watch is told, to be taken one by one. */
function taker() {
  const [told, waiting] = [[], []];
  return {
    told,
    tell(value) {
      told.push(value);
      waiting.splice(0).forEach((go) => go());
    },
    /** Resolves with the `nth` thing told, from 1. */
    async nth(n) {
      while (told.length < n) await new Promise((go) => waiting.push(go));
      return told[n - 1];
    },
  };
}

test('an unchanged feed costs a look at the manifest, and tells nothing', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]' });
  const { told, tell, nth } = taker();
  feed.watch('sales', tell);
  const { data, fresh } = await nth(1);
  assert.deepEqual([data, fresh], [[1], true]);
  server.takeRequests();
  for (let n = 0; n < 3; n++) {
    await feed.refresh();
    assert.deepEqual(server.takeRequests(), LOOK);
  }
  assert.equal(told.length, 1);
  assert.equal((await feed.read('sales')).data, data, 'the same object');
});

test('who wants to wait for the release of a lock has the marker looked at each time', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]' }, { lock: 'wait' });
  const { tell, nth } = taker();
  feed.watch('sales', tell);
  await nth(1);
  server.takeRequests();
  await feed.refresh();
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
});

test('a change downloads the datasets that changed, and those alone', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]', stock: '[2]', costs: '[3]' });
  const { told, tell, nth } = taker();
  for (const name of ['sales', 'stock', 'costs']) feed.watch(name, tell);
  await nth(3);
  server.takeRequests();
  server.publish({ sales: '[1]', stock: '[22]', costs: '[3]' }, { generation: 2 });
  await feed.refresh();
  assert.deepEqual(server.takeRequests(), [...LOOK, `objects/${sha256('[22]')}.json`]);
  assert.equal(told.length, 4);
  assert.deepEqual([told[3].dataset, told[3].data, told[3].generation], ['stock', [22], 2]);
});

test('200 watched datasets cost one manifest', async (t) => {
  const names = Array.from({ length: 200 }, (_, n) => `d${n}`);
  const { server, feed } = await watched(t, Object.fromEntries(names.map((name) => [name, `"${name}"`])));
  const { tell, nth } = taker();
  for (const name of names) feed.watch(name, tell);
  await nth(200);
  const first = server.takeRequests();
  assert.equal(first.filter((path) => path === 'manifest.json').length, 1);
  await feed.refresh();
  assert.deepEqual(server.takeRequests(), LOOK);
});

test('several datasets are told together, of one generation', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]', stock: '[2]', costs: '[3]' });
  const { told, tell, nth } = taker();
  feed.watch(['sales', 'stock'], tell);
  const { sales, stock } = await nth(1);
  assert.deepEqual([sales.data, stock.data, sales.generation], [[1], [2], stock.generation]);
  server.publish({ sales: '[11]', stock: '[2]', costs: '[3]' }, { generation: 2 });
  await feed.refresh();
  assert.deepEqual([told[1].sales.data, told[1].stock.generation], [[11], 2]);
  assert.equal(told[1].stock.data, stock.data, 'the same object');
  server.publish({ sales: '[11]', stock: '[2]', costs: '[33]' }, { generation: 3 });
  await feed.refresh();
  assert.equal(told.length, 2);
});

test('the iterator gives a slow consumer the latest, and ends when the feed is closed', async (t) => {
  const { server, feed } = await watched(t, { sales: '0' });
  const updates = feed.updates('sales');
  assert.equal((await updates.next()).value.data, 0);
  for (const generation of [2, 3, 4]) {
    server.publish({ sales: `${generation}` }, { generation });
    await feed.refresh();
  }
  assert.equal((await updates.next()).value.data, 4);
  const waiting = updates.next();
  feed.close();
  assert.deepEqual(await waiting, { done: true, value: undefined });
});

test('leaving the loop ends its watch', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]' });
  for await (const { data } of feed.updates('sales')) {
    assert.deepEqual(data, [1]);
    break;
  }
  server.takeRequests();
  await feed.refresh();
  assert.deepEqual(server.takeRequests(), []);
});

test('a locked dataset is read again as soon as it is released', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]' });
  await feed.read('sales');
  server.lock(['sales']);
  const { tell, nth } = taker();
  feed.watch('sales', tell);
  assert.deepEqual((await nth(1)).data, [1], 'what the page has, before the look');
  const { reason, source, data } = await nth(2);
  assert.deepEqual([reason, source, data], ['locked', 'cache', [1]]);
  server.publish({ sales: '[2]' }, { generation: 2 });
  server.files.delete('.lock');
  const released = await nth(3);
  assert.deepEqual([released.fresh, released.data], [true, [2]]);
});

test('a server that fails and recovers is told of, to the watch and to the log', async (t) => {
  const events = [];
  const { server, feed } = await watched(t, { sales: '[1]' }, { onEvent: (event) => events.push(event) });
  const { told, tell, nth } = taker();
  feed.watch('sales', tell);
  await nth(1);
  const manifest = server.files.get('manifest.json');
  server.files.set('manifest.json', (_, response) => response.writeHead(503).end());
  await feed.refresh();
  await feed.refresh();
  server.files.set('manifest.json', manifest);
  await feed.refresh();
  assert.deepEqual(
    told.map(({ reason, source }) => [reason, source]),
    [
      [null, 'network'],
      ['http', 'fallback'],
      [null, 'cache'],
    ],
  );
  const types = events.map(({ type }) => type).filter((type) => !type.startsWith('cache'));
  assert.deepEqual(types, ['reading', 'stale', 'reading', 'recovered', 'reading']);
  const stale = events.find(({ type }) => type === 'stale');
  assert.deepEqual([stale.dataset, stale.reason], ['sales', 'http']);
});

test('with nothing to hand out the fallback is told, and the error, until there is something', async (t) => {
  const { server, feed } = await watched(t, { sales: '[1]' });
  const { told, tell } = taker();
  const errors = taker();
  const stop = feed.watch('later', tell, { fallback: [], onError: errors.tell });
  assert.deepEqual(told, []);
  const error = await errors.nth(1);
  assert.ok(error instanceof LastgoodError);
  assert.equal(error.code, 'not-found');
  server.publish({ sales: '[1]', later: '[2]' }, { generation: 2 });
  await feed.refresh();
  assert.deepEqual(
    told.map(({ data, source, reason }) => [data, source, reason]),
    [
      [[], 'initial', 'pending'],
      [[], 'initial', 'not-found'],
      [[2], 'network', null],
    ],
  );
  stop();
});

test('wrong options and closed feeds are refused at once', async (t) => {
  const { feed } = await watched(t, { sales: '[1]' });
  const refused = (call, code) => assert.throws(call, (error) => error instanceof LastgoodError && error.code === code);
  refused(() => feed.watch('sales', () => {}, { intervalMs: 'often' }), 'invalid-options');
  refused(() => feed.watch('sales', () => {}, { interval: 5 }), 'invalid-options');
  refused(() => feed.watch('sales', 'callback'), 'invalid-options');
  refused(() => feed.updates('sales', { onError: 1 }), 'invalid-options');
  refused(() => feed.watch(7, () => {}), 'invalid-name');
  feed.close();
  refused(() => feed.watch('sales', () => {}), 'closed');
  refused(() => feed.updates('sales'), 'closed');
  await assert.rejects(feed.refresh(), { code: 'closed' });
});

test('tabs of an origin tell each other what they have seen', async (t) => {
  install(new FakeStorage());
  t.after(() => delete globalThis.localStorage);
  const { server, feed } = await watched(t, { sales: '[1]', stock: '[1]' });
  const other = await open(server.url, { wasm, minIntervalMs: 1, intervalMs: 3_600_000 });
  t.after(() => other.close());
  const [here, there] = [taker(), taker()];
  feed.watch('sales', here.tell);
  await here.nth(1);
  other.watch('sales', there.tell);
  // The copy of the first tab, and what the look says of it.
  const before = await there.nth(2);
  assert.deepEqual(there.told.map(({ reason }) => reason), ['checking', null]);
  await other.refresh();
  server.takeRequests();

  server.publish({ sales: '[2]', stock: '[1]' }, { generation: 2 });
  await feed.refresh();
  const { data, source } = await there.nth(3);
  assert.deepEqual([data, source], [[2], 'cache']);
  assert.deepEqual(server.takeRequests(), [...LOOK, `objects/${sha256('[2]')}.json`]);
  assert.deepEqual(before.data, [1]);

  server.publish({ sales: '[2]', stock: '[3]' }, { generation: 3 });
  await feed.refresh();
  assert.equal((await other.read('sales')).data, data, 'the same object, confirmed by another tab');
});

test('a process ends by itself once its watches have ended', async (t) => {
  const server = await FeedServer.start();
  server.publish({ sales: '[1]' });
  const script = `
    const { open } = await import(${JSON.stringify(entry)});
    const { readFile } = await import('node:fs/promises');
    const wasm = await readFile(new URL('lastgood_reader_bg.wasm', ${JSON.stringify(directory.href)}));
    const feed = await open(${JSON.stringify(server.url)}, { wasm });
    const controller = new AbortController();
    await new Promise((go) => feed.watch('sales', go, { signal: controller.signal }));
    const stop = feed.watch('sales', () => {});
    for await (const reading of feed.updates('sales')) break;
    controller.abort();
    stop();
    const closed = await open(${JSON.stringify(server.url)});
    await new Promise((go) => closed.watch('sales', go));
    closed.close();
    console.log('done');`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { timeout: 60_000 });
  assert.equal((await run).stdout, 'done\n');
});
