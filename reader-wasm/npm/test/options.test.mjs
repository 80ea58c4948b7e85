// What is refused, and what the refusal says.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';

const { open, LastgoodError } = await import(entry);
const URL_ = 'http://localhost/data/';

test('options of open', async (t) => {
  const cases = [
    [{ lock: 'never' }, /option "lock": expected "cache" or "wait" or "ignore", found "never"$/],
    [{ lock: 5 }, /option "lock": .* found 5$/],
    [{ lockWaitMs: -1 }, /option "lockWaitMs": expected a number from 0 to 2147483647, found -1$/],
    [{ timeoutMs: 0 }, /option "timeoutMs": expected a number from 1 to 2147483647, found 0$/],
    [{ timeoutMs: NaN }, /option "timeoutMs": .* found NaN$/],
    [{ timeoutMs: Infinity }, /option "timeoutMs": .* found Infinity$/],
    [{ timeoutMs: '5' }, /option "timeoutMs": .* found "5"$/],
    [{ timeoutMs: 5n }, /option "timeoutMs": .* found 5$/],
    [{ timeoutMs: null }, /option "timeoutMs": .* found null$/],
    [{ maxBytes: 2 ** 53 }, /option "maxBytes": expected a number from 1 to 9007199254740991, found 9007199254740992$/],
    [{ cache: 'indexedDB' }, /option "cache": expected "auto" or "localStorage" or "none", found "indexedDB"$/],
    [{ onEvent: 'log' }, /option "onEvent": expected a function, found "log"$/],
    [{ timeout: 5 }, /no option "timeout" here; there are: wasm, cache, .*timeoutMs/],
    [{ signal: AbortSignal.abort() }, /no option "signal" here/],
    [{ maxAge: -1 }, /option "maxAge": expected a number from 0/],
    [{ init: 'include' }, /option "init": expected request options or a function, found "include"$/],
    [{ fetch: true }, /option "fetch": expected a function, found true$/],
    [{ datasets: { sales: { migrate: { 1: String, 2: String } } } }, /option "migrate" of "sales" in "datasets": .*without "version".*: add version: 3$/],
    [{ datasets: { sales: { schema: { type: 'array' } } } }, /option "schema" of "sales" in "datasets": expected a Standard Schema.*, a JSON Schema: publish it with the data/],
    [{ datasets: { sales: { schema: { _def: {}, parse() {} } } } }, /found \[object Object\], a schema of a library .*: update it/],
    [{ datasets: { sales: { schema: 'array' } } }, /option "schema" of "sales" in "datasets": expected a Standard Schema.*, found "array"$/],
    [{ debug: 1 }, /option "debug": expected true or false, found 1$/],
    ['cache', /expected an object with options, found "cache"/],
  ];
  for (const [options, message] of cases) {
    await t.test(String(message), async () => {
      const given = typeof options === 'object' ? { wasm, ...options } : options;
      await assert.rejects(open(URL_, given), { name: 'LastgoodError', code: 'invalid-options', message });
    });
  }
});

test('options of read', async (t) => {
  const feed = await open(URL_, { wasm });
  const cases = [
    [{ signal: {} }, /option "signal": expected an AbortSignal/],
    [{ signal: 'x' }, /option "signal": expected an AbortSignal, found "x"/],
    [{ lock: 'never' }, /option "lock"/],
    [{ maxBytes: 5 }, /no option "maxBytes" here; there are: signal, lock, lockWaitMs, timeoutMs, maxAge/],
    [7, /expected an object/],
  ];
  for (const [options, message] of cases) {
    await t.test(String(message), async () => {
      await assert.rejects(feed.read('sales', options), { code: 'invalid-options', message });
      await assert.rejects(feed.snapshot(['sales'], options), { code: 'invalid-options', message });
    });
  }
});

test('a step that leads nowhere, and one that open says the version of', async () => {
  const steps = { 1: (value) => value };
  const feed = await open(URL_, { wasm, datasets: { sales: { version: 2 } }, fetch: () => Promise.reject(new TypeError('away')) });
  await assert.rejects(feed.read('stock', { migrate: steps }), { code: 'invalid-options', message: /"migrate": leads nowhere/ });
  assert.throws(() => feed.watch('stock', () => {}, { migrate: steps }), { code: 'invalid-options' });
  await assert.rejects(feed.read('sales', { migrate: steps }), { code: 'offline' });
});

test('a feed that is opened again and again is warned of, once', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const address = 'https://example.org/in-a-component/';
  for (let render = 0; render < 60; render += 1) await open(address, { wasm });
  const said = warn.mock.calls.map((call) => call.arguments[0]);
  assert.equal(said.length, 1);
  assert.match(said[0], /open\("https:\/\/example\.org\/in-a-component\/"\) was called 20 times .*beside the components and not in one/);
});

test('options that are undefined, or null altogether, are as if left out', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[]' });
  const feed = await open(server.url, { wasm, lock: undefined, timeoutMs: undefined, onEvent: undefined });
  for (const options of [undefined, null, {}, { signal: undefined, lock: undefined }]) {
    assert.deepEqual((await feed.read('sales', options)).data, []);
  }
});

test('names', async () => {
  const feed = await open(URL_, { wasm });
  for (const name of ['', 'Sales', '../sales', 'sales_backup', 'manifest', 'x'.repeat(65), undefined, 5, null]) {
    await assert.rejects(feed.read(name), { name: 'LastgoodError', code: 'invalid-name' });
    await assert.rejects(feed.snapshot(['sales', name]), { code: 'invalid-name' });
  }
  await assert.rejects(feed.read('../sales'), { message: /"\.\.\/sales" is not a dataset name/ });
  await assert.rejects(feed.snapshot('sales'), { code: 'invalid-name', message: /expected a list/ });
});

test('addresses', async (t) => {
  const refused = [
    ['/data/', /must be absolute/],
    [undefined, /expected an address/],
    [new Date(), /expected an address/],
    ['file:///data/', /expected http or https, found file:/],
    ['https://me:secret@example.org/data/', /user name or a password/],
    ['https://example.org/data/?v=1', /leave out "\?v=1"/],
    ['https://example.org/data/#x', /leave out "#x"/],
    ['file:///data/', /through a server, such as lastgood serve/],
    ['localhost:8080/data/', /found localhost:: write "http:\/\/localhost:8080\/data\/"/],
    ['ftp://example.org/data/', /expected http or https, found ftp:$/],
    ['https://example.org/data/manifest.json', /the directory of the feed, which has the manifest\.json: "https:\/\/example.org\/data\/"/],
    ['https://example.org/data/performance.json', /the directory of the feed.*: "https:\/\/example.org\/data\/"/],
    ['https://example.org/data/.lock', /the directory of the feed.*: "https:\/\/example.org\/data\/"/],
    ['https://example.org/index.html', /the directory of the feed.*: "https:\/\/example.org\/"/],
  ];
  for (const [url, message] of refused) {
    await t.test(String(url), () =>
      assert.rejects(open(url, { wasm }), { name: 'LastgoodError', code: 'invalid-url', message }),
    );
  }
  assert.equal((await open('https://example.org/data', { wasm })).url, 'https://example.org/data/');
  assert.equal((await open(new URL('https://example.org'), { wasm })).url, 'https://example.org/');
  assert.equal((await open('https://example.org/v1.json/', { wasm })).url, 'https://example.org/v1.json/');
});

test('a relative address is resolved against the page', async () => {
  for (const scope of [{ document: { baseURI: 'https://example.org/app/' } }, { location: { href: 'https://example.org/app/sw.js' } }]) {
    Object.assign(globalThis, scope);
    try {
      assert.equal((await open('../data', { wasm })).url, 'https://example.org/data/');
    } finally {
      for (const name of Object.keys(scope)) delete globalThis[name];
    }
  }
});

test('what a listener throws is reported and ends nothing', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[]' });
  const thrown = new Error('in the listener');
  const onEvent = () => {
    throw thrown;
  };
  const report = mock.method(console, 'error', () => {});
  const feed = await open(server.url, { wasm, onEvent });
  assert.deepEqual((await feed.read('sales')).data, []);
  // There is no localStorage here, and there is a reading.
  assert.deepEqual(report.mock.calls.map((call) => call.arguments), [[thrown], [thrown]]);
});

test('LastgoodError', () => {
  const error = new LastgoodError('text', { code: 'http', status: 503, cause: 1 });
  const { name, message, code, dataset, url, status, cause } = error;
  assert.deepEqual(
    { name, message, code, dataset, url, status, cause },
    { name: 'LastgoodError', message: 'text', code: 'http', dataset: null, url: null, status: 503, cause: 1 },
  );
  assert.ok(error instanceof Error);
});
