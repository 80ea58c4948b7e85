// What a read hands out, and what it asks the server for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FeedServer, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';

const { open, LastgoodError } = await import(entry);
const SALES = '[{"day":"2026-11-20","sum":1.50}]';

/** The error that `promise` rejects with, which must be a LastgoodError. */
async function failure(promise) {
  const error = await promise.then(
    (value) => assert.fail(`expected an error, found ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.ok(error instanceof LastgoodError, error.stack);
  return error;
}

test('a cold read takes one round trip and says what it has', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES }, { generation: 7, meta: { run: '8841' } });
  const feed = await open(server.url, { wasm });
  const reading = await feed.read('sales');

  // Two of them were sent while the module was loaded.
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json', 'sales.json']);
  const { ageMs, checkedAt, ...rest } = reading;
  assert.deepEqual(rest, {
    data: [{ day: '2026-11-20', sum: 1.5 }],
    dataset: 'sales',
    source: 'network',
    fresh: true,
    reason: null,
    detail: null,
    schemaVersion: null,
    cachedIn: null,
    generation: 7,
    sha256: sha256(SALES),
    publishedAt: '2026-11-20T14:39:00.123Z',
    meta: { run: '8841' },
  });
  assert.ok(Number.isSafeInteger(ageMs) && ageMs >= 0);
  assert.equal(new Date(checkedAt).toISOString(), checkedAt);
});

test('a plain copy that is not the current one is not used: the object is', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  server.files.set('sales.json', '[]');
  const feed = await open(server.url, { wasm });
  const reading = await feed.read('sales');
  assert.deepEqual(reading.data, [{ day: '2026-11-20', sum: 1.5 }]);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json', `objects/${sha256(SALES)}.json`, 'sales.json']);
});

test('a snapshot is keyed by name and of one generation; names count once', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES, stock: '{"a":1}' }, { generation: 3 });
  const feed = await open(server.url, { wasm });
  const snapshot = await feed.snapshot(['stock', 'sales', 'stock']);
  assert.deepEqual(Object.keys(snapshot), ['stock', 'sales']);
  assert.deepEqual(snapshot.stock.data, { a: 1 });
  assert.deepEqual([snapshot.stock.generation, snapshot.sales.generation], [3, 3]);
  assert.equal(server.takeRequests().length, 4);
});

test('a snapshot of nothing is empty and asks for nothing', async () => {
  const server = await FeedServer.start();
  const feed = await open(server.url, { wasm });
  assert.deepEqual(await feed.snapshot([]), {});
  assert.deepEqual(server.takeRequests(), []);
});

test('requests ask for JSON and say what HTTP caches may do', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  server.files.set('sales.json', '[]');
  server.files.set(`objects/${sha256(SALES)}.json`, '[1]');
  const feed = await open(server.url, { wasm });
  const [real, sent] = [globalThis.fetch, []];
  globalThis.fetch = (url, init) => {
    sent.push([url.replace(server.url, ''), init.cache, new Headers(init.headers).get('accept')]);
    return real(url, init);
  };
  try {
    assert.equal((await failure(feed.read('sales'))).code, 'checksum-mismatch');
  } finally {
    globalThis.fetch = real;
  }
  const object = `objects/${sha256(SALES)}.json`;
  assert.deepEqual(sent.sort(), [
    ['.lock', 'no-store', 'application/json'],
    ['manifest.json', 'no-cache', 'application/json'],
    [object, 'default', 'application/json'],
    [object, 'reload', 'application/json'],
    ['sales.json', 'no-cache', 'application/json'],
  ]);
});

test('without crypto.subtle the digest is the same, over pieces too', async () => {
  const server = await FeedServer.start();
  const text = JSON.stringify(Array.from({ length: 40_000 }, (_, i) => i));
  server.publish({ large: text, empty: '[]' });
  const feed = await open(server.url, { wasm });
  const real = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  Object.defineProperty(globalThis, 'crypto', { configurable: true, value: {} });
  try {
    const { large, empty } = await feed.snapshot(['large', 'empty']);
    assert.equal(large.sha256, sha256(text));
    assert.equal(large.data.length, 40_000);
    assert.deepEqual(empty.data, []);
  } finally {
    Object.defineProperty(globalThis, 'crypto', real);
  }
});

test('a body in many chunks, cut inside a character, is read whole', async () => {
  const server = await FeedServer.start();
  const text = JSON.stringify('Größe 😀'.repeat(50));
  server.publish({ text });
  const bytes = Buffer.from(text);
  server.files.delete('text.json');
  server.files.set(`objects/${sha256(text)}.json`, (request, response) => {
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    response.end();
  });
  const feed = await open(server.url, { wasm });
  assert.equal((await feed.read('text')).data, 'Größe 😀'.repeat(50));
});

test('failures have codes, addresses and sentences', async (t) => {
  const object = `objects/${sha256(SALES)}.json`;
  const cases = {
    'http': { files: { 'manifest.json': (_, response) => response.writeHead(503).end() }, status: 503 },
    'not-json': { files: { 'manifest.json': '<!doctype html><title>app</title>' } },
    'manifest-invalid': { files: { 'manifest.json': '{"signed":{},"sha256":"' + '0'.repeat(64) + '"}' } },
    'checksum-mismatch': { files: { 'sales.json': '[]', [object]: '[2]' }, url: object, dataset: 'sales' },
    'truncated': {
      files: {
        'sales.json': '[]',
        [object]: (request, response) => {
          response.writeHead(200, { 'content-length': SALES.length });
          response.write(SALES.slice(0, 5), () => response.destroy());
        },
      },
      url: object,
      dataset: 'sales',
    },
  };
  for (const [code, { files, status = null, url = 'manifest.json', dataset = null }] of Object.entries(cases)) {
    await t.test(code, async () => {
      const server = await FeedServer.start();
      server.publish({ sales: SALES });
      for (const [path, file] of Object.entries(files)) server.files.set(path, file);
      const feed = await open(server.url, { wasm });
      const error = await failure(feed.read('sales'));
      assert.deepEqual([error.code, error.status, error.dataset], [code, status, dataset]);
      assert.equal(error.url, server.url + url);
      assert.ok(error.message.length > 20);
    });
  }
});

test('an HTML page larger than the payload is told as such', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[]' });
  const page = `\n  <html>${'x'.repeat(1000)}</html>`;
  server.files.set('sales.json', page);
  server.files.set(`objects/${sha256('[]')}.json`, page);
  const feed = await open(server.url, { wasm });
  const error = await failure(feed.read('sales'));
  assert.equal(error.code, 'not-json');
  assert.match(error.message, /HTML page/);
});

test('bytes that are not UTF-8 or not JSON are not handed out, though their digest is right', async () => {
  const server = await FeedServer.start();
  for (const bytes of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from('\ufeff[]'), Buffer.from('[NaN]')]) {
    server.publish({ odd: bytes });
    const feed = await open(server.url, { wasm });
    assert.equal((await failure(feed.read('odd'))).code, 'not-json');
  }
});

test('a server that cannot be reached is offline', async () => {
  const server = await FeedServer.start();
  const feed = await open(server.url, { wasm });
  server.stop();
  const error = await failure(feed.read('sales'));
  assert.equal(error.code, 'offline');
  assert.match(error.message, /CORS/);
});

test('a dataset that is not there is named, with those that are', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  const feed = await open(server.url, { wasm });
  const error = await failure(feed.read('sale'));
  assert.deepEqual([error.code, error.dataset], ['not-found', 'sale']);
  assert.match(error.message, /it has: sales/);
});

test('a manifest older than one seen in this page is refused, without any storage', async () => {
  const server = await FeedServer.start();
  const feed = await open(server.url, { wasm, cache: 'none' });
  server.publish({ sales: SALES }, { generation: 8 });
  assert.equal((await feed.read('sales')).generation, 8);
  server.publish({ sales: '[7]' }, { generation: 7 });
  const { reason, data } = await feed.read('sales');
  assert.deepEqual([reason, data], ['regressed', JSON.parse(SALES)]);
});

test('by the policy "wait" a locked feed is waited for, up to the limit', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  server.lock(['sales']);
  let looks = 0;
  const marker = server.files.get('.lock');
  server.files.set('.lock', (_, response) => {
    looks += 1;
    response.writeHead(looks < 3 ? 200 : 204).end(looks < 3 ? marker : undefined);
  });
  const feed = await open(server.url, { wasm, lock: 'wait' });
  const reading = await feed.read('sales');
  assert.deepEqual([reading.fresh, looks], [true, 3]);

  server.files.set('.lock', marker);
  const later = await open(server.url, { wasm });
  assert.equal((await later.read('sales', { lock: 'wait', lockWaitMs: 0 })).fresh, true);

  server.takeRequests();
  await feed.read('sales', { lock: 'ignore' });
  assert.ok(!server.takeRequests().includes('.lock'));
});
