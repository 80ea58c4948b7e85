// What a hostile server or publisher sends a page: read no further than it must be, and answered with an error that has a code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { FeedServer, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open, LastgoodError } = await import(entry);
const SALES = '[{"day":"2026-11-20","sum":1.50}]';
const OBJECT = `objects/${sha256(SALES)}.json`;
const MEGABYTE = 1 << 20;

async function failure(promise) {
  const error = await promise.then(
    (value) => assert.fail(`expected an error, found ${JSON.stringify(value).slice(0, 200)}`),
    (error) => error,
  );
  assert.ok(error instanceof LastgoodError, error.stack);
  return error;
}

/** Sends `part` over and over until the client has enough; `taken` counts bytes before any compression is undone. */
function endless(headers, part, taken) {
  return (request, response) => {
    response.writeHead(200, headers);
    const send = () => {
      while (!response.destroyed) {
        taken.bytes += part.length;
        if (taken.bytes > 500 * MEGABYTE) return response.end();
        if (!response.write(part)) return response.once('drain', send);
      }
    };
    send();
  };
}

const nested = (open, middle, close, depth) => open.repeat(depth) + middle + close.repeat(depth);

test('a body without end is read to its limit and no further', async (t) => {
  const json = { 'content-type': 'application/json' };
  const bodies = {
    'plain': [json, Buffer.alloc(MEGABYTE, '[')],
    'that inflates to gigabytes': [{ ...json, 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(64 * MEGABYTE, '['))],
  };
  const paths = { 'manifest.json': 'manifest.json', 'object': OBJECT, 'plain copy': 'sales.json', 'marker': '.lock' };
  for (const [how, [headers, part]] of Object.entries(bodies)) {
    for (const [what, path] of Object.entries(paths)) {
      await t.test(`${what}, ${how}`, async () => {
        const server = await FeedServer.start();
        server.publish({ sales: SALES });
        const taken = { bytes: 0 };
        server.files.set(path, endless(headers, part, taken));
        if (path === OBJECT) server.files.delete('sales.json');
        const feed = await open(server.url, { wasm, timeoutMs: 5000 });
        const before = process.memoryUsage().rss;
        if (path === OBJECT || path === 'manifest.json') {
          assert.ok((await failure(feed.read('sales'))).code.length > 3);
        } else {
          // Neither a marker nor a plain copy is needed.
          assert.deepEqual((await feed.read('sales')).data, JSON.parse(SALES));
        }
        assert.ok(taken.bytes < 200 * MEGABYTE, `${taken.bytes} bytes were taken`);
        assert.ok(process.memoryUsage().rss - before < 400 * MEGABYTE, 'took the memory of what it inflates to');
        feed.close();
      });
    }
  }
});

test('nesting without end is an error, in wasm as everywhere', async (t) => {
  const deep = nested('[', '', ']', 500_000);
  const manifest = (server) => server.files.get('manifest.json');
  const cases = {
    'a manifest': (server) => server.files.set('manifest.json', '['.repeat(500_000)),
    'an unknown member': (server) => server.files.set('manifest.json', manifest(server).replace('{', `{"unknown":${deep},`)),
    'a plain copy': (server) => server.files.set('sales.json', deep),
    'a lock marker': (server) => server.files.set('.lock', nested('{"holder":', '1', '}', 20_000)),
    'a payload': (server) => server.publish({ sales: deep }),
    'a payload with a schema': (server) => server.publish({ sales: deep }, { schema: { version: 1, text: '{"type":"array"}' } }),
    'a schema': (server) => server.publish({ sales: SALES }, { schema: { version: 1, text: nested('{"not":', 'true', '}', 100_000) } }),
    'meta': (server) => server.publish({ sales: SALES }, { meta: JSON.parse(nested('[', '', ']', 2000)) }),
  };
  for (const [what, plant] of Object.entries(cases)) {
    await t.test(what, async () => {
      const server = await FeedServer.start();
      server.publish({ sales: SALES });
      plant(server);
      const feed = await open(server.url, { wasm });
      await feed.read('sales').then(
        (reading) => assert.equal(reading.sha256, sha256(server.files.get(`objects/${reading.sha256}.json`))),
        (error) => assert.ok(error instanceof LastgoodError, error.stack),
      );
      // What has been thrown at it has not broken the module.
      const other = await FeedServer.start();
      other.publish({ sales: SALES });
      assert.deepEqual((await (await open(other.url, { wasm })).read('sales')).data, JSON.parse(SALES));
      feed.close();
    });
  }
});

test('what would lead out of the feed is asked for nowhere', async (t) => {
  const good = { sha256: sha256(SALES), size: SALES.length, generation: 1, published_at: '2026-11-20T14:39:00.123Z' };
  const entries = {
    'a path for a digest': { sales: { ...good, sha256: '../../secret' } },
    'a digest in upper case': { sales: { ...good, sha256: good.sha256.toUpperCase() } },
    'a path for an extension': { sales: { ...good, ext: '../../secret' } },
    'another origin for an extension': { sales: { ...good, ext: '//evil.example' } },
    'a path for a name': { sales: good, '../secret': good },
    'an address for a name': { sales: good, 'https://evil.example/x': good },
    'a name in upper case': { sales: good, Sales: good },
    'a letter that looks the same': { sales: good, 's\u0430les': good },
    '__proto__ for a name': Object.defineProperty({ sales: good }, '__proto__', { value: good, enumerable: true }),
    'a size beyond all numbers': { sales: { ...good, size: 2 ** 64 } },
    'a path for a schema': { sales: { ...good, schema: { version: 1, sha256: '../../secret', size: 2 } } },
  };
  for (const [what, datasets] of Object.entries(entries)) {
    await t.test(what, async () => {
      const server = await FeedServer.start();
      const signed = JSON.stringify({
        format: 1,
        feed: '6f1c0b52-9a3e-4d67-8f00-1b2c3d4e5f60',
        generation: 1,
        commit: '1'.padStart(32, '0'),
        published_at: good.published_at,
        expires_at: null,
        datasets,
      });
      server.files.set('manifest.json', `{"signed":${signed},"sha256":"${sha256(signed)}","signatures":[]}`);
      server.files.set('sales.json', SALES);
      const feed = await open(server.url, { wasm });
      assert.equal((await failure(feed.read('sales'))).code, 'manifest-invalid');
      assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json', 'sales.json']);
      feed.close();
    });
  }
});

test('a size that is only claimed is not believed', async (t) => {
  for (const size of [0, 1, SALES.length + 1, 2 ** 53 - 1]) {
    await t.test(String(size), async () => {
      const server = await FeedServer.start();
      server.publish({ sales: SALES });
      const [, signed] = server.files.get('manifest.json').match(/^\{"signed":(.*),"sha256":"[0-9a-f]{64}","signatures":\[\]\}$/);
      const claimed = signed.replace(`"size":${SALES.length}`, `"size":${size}`);
      assert.notEqual(claimed, signed);
      server.files.set('manifest.json', `{"signed":${claimed},"sha256":"${sha256(claimed)}","signatures":[]}`);
      const feed = await open(server.url, { wasm });
      assert.ok(['checksum-mismatch', 'too-large'].includes((await failure(feed.read('sales'))).code));
      feed.close();
    });
  }
});

test('a cache that somebody else has written to is a miss', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  const storage = new FakeStorage(50 * MEGABYTE);
  install(storage);
  const read = async () => (await open(server.url, { wasm })).read('sales');
  await read();
  const keys = storage.keys();
  assert.ok(keys.length >= 3);
  for (const key of keys) {
    for (const text of ['['.repeat(500_000), nested('{"a":', '1', '}', 500_000), '\0'.repeat(1000), 'x'.repeat(5 * MEGABYTE)]) {
      storage.setItem(key, text);
      assert.deepEqual((await read()).data, JSON.parse(SALES), key);
    }
  }
  delete globalThis.localStorage;
});

test('a lock marker holds a page up for no longer than its limit, however it is dated', async (t) => {
  const at = (time) => new Date(time).toISOString();
  const century = 100 * 365 * 86_400_000;
  for (const [what, acquired, expires] of [
    ['a lease of a century', Date.now(), Date.now() + century],
    ['one that begins in a century', Date.now() + century, Date.now() + 2 * century],
    ['one of a century ago', Date.now() - century, Date.now() - century / 2],
    ['one that ends before it begins', Date.now(), Date.now() - century],
  ]) {
    await t.test(what, async () => {
      const server = await FeedServer.start();
      server.publish({ sales: SALES });
      const holder = { host: '\u001b]0;x\u0007'.repeat(5000), pid: 1, token: 't' };
      const marker = { format: 1, holder, datasets: ['sales'], acquired_at: at(acquired), expires_at: at(expires) };
      server.files.set('.lock', JSON.stringify(marker));
      const feed = await open(server.url, { wasm, lockWaitMs: 100 });
      assert.deepEqual((await feed.read('sales')).data, JSON.parse(SALES));
      feed.close();
    });
  }
});
