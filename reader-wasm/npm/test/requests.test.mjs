// What requests are made with, as a real server gets them, and what becomes of its wishes.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open } = await import(entry);
const PNG = { bytes: Buffer.from('png'), ext: 'png', type: 'image/png' };

beforeEach(() => install(new FakeStorage()));

/** A server that notes each request's path and headers. */
async function listening() {
  const server = await FeedServer.start();
  server.publish({ sales: '[1]' }, { artifacts: { chart: PNG } });
  // Not the current one, so that the object is asked for as well.
  server.files.set('sales.json', '[0]');
  const seen = [];
  for (const [path, file] of server.files) {
    server.files.set(path, (request, response) => {
      seen.push({ path, headers: request.headers });
      if (typeof file === 'function') file(request, response);
      else response.end(file);
    });
  }
  return { server, seen };
}

test('headers of "init" are sent with every request, and JSON is asked for all the same', async (t) => {
  const forms = {
    object: { headers: { authorization: 'Bearer t' } },
    Headers: { headers: new Headers({ authorization: 'Bearer t' }) },
    list: { headers: [['Authorization', 'Bearer t']] },
    function: () => ({ headers: { authorization: 'Bearer t' } }),
    'async function': async () => ({ headers: { authorization: 'Bearer t' } }),
  };
  for (const [name, init] of Object.entries(forms)) {
    await t.test(name, async () => {
      const { server, seen } = await listening();
      const feed = await open(server.url, { wasm, init });
      await feed.read('sales');
      await feed.artifact('chart');
      const paths = new Set(seen.map(({ path }) => path));
      assert.ok(paths.size >= 4 && [...paths].every((path) => /json$|png$/.test(path)), [...paths].join());
      for (const { path, headers } of seen) {
        assert.equal(headers.authorization, 'Bearer t', path);
        assert.equal(headers.accept, path.endsWith('.png') ? '*/*' : 'application/json', path);
      }
    });
  }
});

test('a function is asked before each request, with its address, and may say another thing each time', async () => {
  const { server, seen } = await listening();
  const asked = [];
  const init = (url) => ({ headers: { 'x-turn': String(asked.push(url)) } });
  const feed = await open(server.url, { wasm, init });
  await feed.read('sales');
  const paths = asked.map((url) => url.slice(server.url.length));
  assert.deepEqual([...paths].sort(), server.takeRequests());
  for (const { path, headers } of seen) assert.equal(headers['x-turn'], String(paths.indexOf(path) + 1));
});

test('what is lastgood\'s own, and what cannot be sent, is refused', async (t) => {
  const signal = new AbortController().signal;
  const cases = [
    [{ method: 'POST' }, /leave out "method"/],
    [{ cache: 'no-store' }, /leave out "cache"/],
    [{ signal }, /leave out "signal"/],
    [{ body: 'x' }, /leave out "body"/],
    [{ headers: { 'not a name': 'x' } }, /the headers in .* cannot be sent/],
  ];
  const { server, seen } = await listening();
  for (const [init, message] of cases) {
    await t.test(String(message), async () => {
      await assert.rejects(open(server.url, { wasm, init }), { code: 'invalid-options', message });
      const feed = await open(server.url, { wasm, init: async () => init });
      await assert.rejects(feed.read('sales'), { name: 'LastgoodError', code: 'invalid-options', message });
    });
  }
  const feed = await open(server.url, { wasm, init: () => 'include' });
  await assert.rejects(feed.read('sales'), { code: 'invalid-options', message: /expected request options, found "include"/ });
  assert.deepEqual(seen, []);
});

test('a function that fails is an error with its cause, also where there is a copy', async (t) => {
  const cause = new Error('no token');
  const failing = { throws: () => { throw cause; }, rejects: async () => { throw cause; } };
  for (const [name, fail] of Object.entries(failing)) {
    await t.test(name, async () => {
      const { server } = await listening();
      let init = fail;
      const feed = await open(server.url, { wasm, init: (url) => init(url) });
      const error = await feed.read('sales').catch((thrown) => thrown);
      assert.deepEqual([error.name, error.code, error.cause], ['LastgoodError', 'invalid-options', cause]);
      assert.match(error.message, /the function has failed for .*: Error: no token/);
      assert.ok(error.url.startsWith(server.url));
      init = () => ({});
      await feed.read('sales');
      init = fail;
      await assert.rejects(feed.read('sales'), { code: 'invalid-options', cause });
    });
  }
});

test('a fetch of the page\'s own is used for every request of the feed, with its options', async () => {
  const { server } = await listening();
  const calls = [];
  const ownFetch = (url, given) => {
    calls.push({ url, ...given });
    return fetch(url, given);
  };
  const feed = await open(server.url, { wasm, fetch: ownFetch, init: { credentials: 'include' } });
  await feed.read('sales');
  assert.deepEqual(calls.map(({ url }) => url.slice(server.url.length)).sort(), server.takeRequests());
  for (const { credentials, signal, cache } of calls) {
    assert.equal(credentials, 'include');
    assert.ok(signal instanceof AbortSignal && typeof cache === 'string');
  }
});

test('a fetch that does not heed its signal holds up no call', async (t) => {
  const { server } = await listening();
  let asked = 0;
  const deaf = () => {
    asked += 1;
    return new Promise(() => {});
  };
  const feed = await open(server.url, { wasm, fetch: deaf, timeoutMs: 5_000 });
  const controller = new AbortController();
  const aborted = feed.read('sales', { signal: controller.signal });
  while (asked === 0) await new Promise(setImmediate);
  controller.abort();
  await assert.rejects(aborted, { code: 'aborted' });

  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  asked = 0;
  const late = feed.read('sales');
  while (asked < 3) await new Promise(setImmediate);
  mock.timers.tick(5_000);
  await assert.rejects(late, { code: 'timeout' });
});

test('a fetch that throws at once is a request that did not get through', async () => {
  const { server } = await listening();
  const feed = await open(server.url, { wasm, fetch: () => { throw new TypeError('not today'); } });
  await assert.rejects(feed.read('sales'), { code: 'offline', message: /not today/ });
});

test('what a server asks for in Retry-After is told with the error', async (t) => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  const cases = [['120', 120_000, 120_000], [inAMinute, 55_000, 60_000], ['soon', null, null], [undefined, null, null]];
  for (const [given, least, most] of cases) {
    await t.test(String(given), async () => {
      const { server } = await listening();
      server.files.set('manifest.json', (_, response) => {
        response.writeHead(503, given === undefined ? {} : { 'retry-after': given }).end();
      });
      const feed = await open(server.url, { wasm });
      const error = await feed.read('sales').catch((thrown) => thrown);
      assert.deepEqual([error.code, error.status, error.url], ['http', 503, `${server.url}manifest.json`]);
      if (least === null) assert.equal(error.retryAfterMs, null);
      else assert.ok(error.retryAfterMs >= least && error.retryAfterMs <= most, String(error.retryAfterMs));
    });
  }
});
