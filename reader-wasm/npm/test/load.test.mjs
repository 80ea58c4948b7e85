// Importing and loading, in an order that only a process of its own can have.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { entry, wasm } from './support/package.mjs';

// What a page has and a server has not, or not always.
const PAGE = ['window', 'document', 'location', 'navigator', 'localStorage', 'sessionStorage', 'indexedDB', 'caches',
  'fetch', 'crypto', 'WebAssembly'];

test('importing touches nothing of the page', async () => {
  const touched = [];
  const before = new Map(PAGE.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  for (const name of PAGE) {
    Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
  }
  try {
    const { LastgoodError, open } = await import(entry);
    assert.equal(new LastgoodError('x', { code: 'wasm' }).code, 'wasm');
    assert.equal(typeof open, 'function');
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete globalThis[name];
    }
  }
  assert.deepEqual(touched, []);
});

test('what fails to load is tried again, and loads once for all', async () => {
  const { open } = await import(entry);
  const url = 'http://localhost/data/';
  const refused = { name: 'LastgoodError', code: 'wasm', message: /option "wasm"/ };
  await assert.rejects(open(url, { wasm: 'file:///nowhere.wasm' }), refused);
  await assert.rejects(open(url, { wasm: new Uint8Array(8) }), refused);
  await assert.rejects(open(url, { wasm: Promise.reject(new Error('gone')) }), refused);
  await assert.rejects(open(url, { wasm: new Response('<html>', { status: 404 }) }), refused);

  const compile = mock.method(WebAssembly, 'compile');
  const feeds = await Promise.all([open(url, { wasm: Promise.resolve(wasm) }), open(url, { wasm })]);
  feeds.push(await open(url));
  assert.deepEqual(feeds.map((feed) => feed.url), [url, url, url]);
  // Node's own fetch has a module too.
  const ours = compile.mock.calls.filter((call) => call.arguments[0] === wasm);
  assert.equal(ours.length, 1);
});

test('loading gives no warning', async () => {
  const { open } = await import(entry);
  const warn = mock.method(console, 'warn', () => {});
  await open('http://localhost/data/', { wasm });
  assert.equal(warn.mock.callCount(), 0);
});
