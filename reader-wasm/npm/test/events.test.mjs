// What an app is told: events of every type, and the lines of debug mode.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open } = await import(entry);
const SALES = '[1]';

let storage;
beforeEach(() => {
  storage = new FakeStorage();
  install(() => storage);
});

async function opened(options) {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  const events = [];
  const feed = await open(server.url, { wasm, onEvent: (event) => events.push(event), ...options });
  return { server, feed, events };
}

const fail = (status) => (_, response) => response.writeHead(status).end();
const types = (events) => events.splice(0).map(({ type }) => type);

test('a dataset that ceases to be fresh, and is again, is told once each', async () => {
  const { server, feed, events } = await opened();
  const reading = await feed.read('sales');
  assert.deepEqual(events.splice(0), [{ type: 'reading', dataset: 'sales', reading }]);
  const manifest = server.files.get('manifest.json');
  server.files.set('manifest.json', fail(500));
  await feed.read('sales');
  const [stale] = events;
  assert.deepEqual([stale.type, stale.dataset, stale.reason], ['stale', 'sales', 'http']);
  assert.match(stale.detail, /500/);
  assert.deepEqual(types(events), ['stale', 'reading']);
  await feed.read('sales');
  assert.deepEqual(types(events), ['reading']);
  server.files.set('manifest.json', manifest);
  await feed.read('sales');
  assert.ok(events[0].staleMs >= 0);
  assert.deepEqual(types(events), ['recovered', 'reading']);
});

test('an older manifest is told once until there is a good one', async () => {
  const { server, feed, events } = await opened();
  server.publish({ sales: '[5]' }, { generation: 5 });
  await feed.read('sales');
  for (const generation of [4, 3]) {
    server.publish({ sales: '[4]' }, { generation });
    await feed.read('sales');
  }
  assert.deepEqual(types(events), ['reading', 'regressed', 'stale', 'reading', 'reading']);
  server.publish({ sales: '[6]' }, { generation: 6 });
  await feed.read('sales');
  server.publish({ sales: '[4]' }, { generation: 4 });
  await feed.read('sales');
  assert.deepEqual(types(events), ['recovered', 'reading', 'regressed', 'stale', 'reading']);
});

test('nothing to hand out is told with the error that is thrown; calls that were ended are not', async () => {
  const { server, feed, events } = await opened();
  server.files.set('manifest.json', fail(500));
  const error = await feed.read('sales').catch((thrown) => thrown);
  assert.deepEqual(events.splice(0), [{ type: 'error', dataset: 'sales', error }]);
  await feed.snapshot(['sales', 'stock']).catch(() => {});
  assert.deepEqual(events.splice(0).map(({ dataset }) => dataset), ['sales', 'stock']);
  await assert.rejects(feed.read('sales', { signal: AbortSignal.abort() }), { code: 'aborted' });
  feed.close();
  await assert.rejects(feed.read('sales'), { code: 'closed' });
  assert.deepEqual(events, []);
});

test('debug mode explains each decision in one line, and says nothing otherwise', async (t) => {
  const debug = mock.method(console, 'debug', () => {});
  t.after(() => debug.mock.restore());
  const { server, feed } = await opened({ debug: true });
  const lines = async (work) => {
    debug.mock.resetCalls();
    await work().catch(() => {});
    const told = debug.mock.calls.map(({ arguments: [line] }) => line);
    for (const line of told) assert.ok(line.startsWith(`lastgood ${server.url} `) && !line.includes('\n'));
    return told.map((line) => line.replace(`lastgood ${server.url} `, ''));
  };
  const read = () => feed.read('sales');
  assert.deepEqual(await lines(read), [
    'sales: fetch manifest.json, .lock, sales.json',
    'sales: generation 1 from network, fresh',
    'sales: a copy is in localStorage',
  ]);
  assert.deepEqual(await lines(read), [
    'sales: fetch manifest.json, .lock',
    'sales: take the copy at hand of sales',
    'sales: generation 1 from cache, fresh',
    'sales: a copy is in localStorage',
  ]);
  server.publish({ sales: '[2]' }, { generation: 2 });
  const changed = await lines(read);
  assert.match(changed[1], /^sales: download objects\/[0-9a-f]{64}\.json$/);
  assert.equal(changed[2], 'sales: generation 2 from network, fresh');
  server.lock(['sales']);
  assert.match((await lines(read)).at(-2), /^sales: generation 2 from cache, a commit is in progress/);
  assert.match((await lines(() => feed.read('sales', { lock: 'wait', lockWaitMs: 20 })))[1], /^sales: locked: look again in \d+ ms$/);
  server.files.delete('.lock');
  server.files.set('manifest.json', fail(503));
  assert.match((await lines(read)).at(-2), /^sales: generation 2 from fallback, manifest\.json: .* answered 503$/);
  assert.match((await lines(() => feed.read('stock'))).at(-1), /^stock: nothing to hand out: manifest\.json: .* 503$/);
  storage.limit = 0;
  storage.removeItem(`lastgood:1:${server.url}:sales`);
  assert.equal((await lines(read)).at(-1), 'sales: no copy is kept');

  const silent = await open(server.url, { wasm });
  assert.deepEqual(await lines(() => silent.read('sales')), []);
});
