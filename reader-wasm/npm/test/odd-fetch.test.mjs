// Whatever an app's own `fetch` gives: a LastgoodError or the last good copy, and nobody waits for ever in silence.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { beforeEach, test } from 'node:test';

import { FeedServer, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open, LastgoodError } = await import(entry);
const SALES = '[{"day":"2026-11-20","name":"Größe"}]';

beforeEach(() => install(new FakeStorage()));

async function published() {
  const server = await FeedServer.start();
  server.publish({ sales: SALES });
  return server;
}

/** What a real answer has, for a response to be made of. */
async function answer(url, init) {
  const real = await fetch(url, init);
  const bytes = Buffer.from(await real.arrayBuffer());
  return { status: real.status, ok: real.ok, headers: real.headers, bytes };
}

const exactly = (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);

/** Responses that can be read, none of which is one of the browser's. */
const READABLE = {
  'a stream of Node as the body': ({ bytes, ...rest }) => ({ ...rest, body: Readable.from([bytes.subarray(0, 9), bytes.subarray(9)]) }),
  'no body but arrayBuffer()': ({ bytes, ...rest }) => ({ ...rest, arrayBuffer: async () => exactly(bytes) }),
  'a body of null': ({ bytes, ...rest }) => ({ ...rest, body: null, arrayBuffer: async () => exactly(bytes) }),
  'arrayBuffer() that is not a promise': ({ bytes, ...rest }) => ({ ...rest, arrayBuffer: () => exactly(bytes) }),
  'arrayBuffer() that gives a Buffer': ({ bytes, ...rest }) => ({ ...rest, arrayBuffer: async () => bytes }),
  'text() alone': ({ bytes, ...rest }) => ({ ...rest, text: async () => bytes.toString() }),
  'no headers': ({ bytes, status }) => ({ status, arrayBuffer: async () => exactly(bytes) }),
  'headers that are an object': ({ bytes, status }) => ({ status, headers: { date: 'x' }, arrayBuffer: async () => exactly(bytes) }),
  'a stream of other views': ({ bytes, ...rest }) => ({ ...rest, body: new ReadableStream({
    start(controller) {
      controller.enqueue(new DataView(exactly(bytes)));
      controller.close();
    },
  }) }),
};

for (const [what, make] of Object.entries(READABLE)) {
  test(`a response with ${what} is read`, async () => {
    const server = await published();
    const feed = await open(server.url, { wasm, fetch: async (url, init) => make(await answer(url, init)) });
    const reading = await feed.read('sales');
    assert.deepEqual([reading.data, reading.fresh, reading.sha256], [JSON.parse(SALES), true, sha256(SALES)]);
  });
}

const no = (value) => () => value;
const reject = (value) => () => Promise.reject(value);
const raise = (value) => () => {
  throw value;
};
const thrower = new Proxy({}, { get: raise(new Error('do not look')) });

/** Functions that answer with nothing that can be used, and what they may be told as. */
const USELESS = {
  'gives undefined': [no(undefined), 'offline'],
  'gives null': [no(null), 'offline'],
  'gives a text': [async () => 'ok', 'offline'],
  'gives an empty object': [async () => ({}), 'offline'],
  'gives a response without a body': [async () => ({ status: 200 }), 'offline'],
  'gives a response with json() alone': [async () => ({ status: 200, ok: true, json: async () => [] }), 'offline'],
  'gives what throws when it is looked at': [async () => thrower, 'offline'],
  'gives a body that is a number': [async () => ({ status: 200, body: 5 }), 'offline'],
  'gives a stream of texts': [async () => ({ status: 200, body: Readable.from(['a', 'b'], { objectMode: true }) }), 'truncated'],
  'gives a stream of nothing': [async () => ({ status: 200, body: { getReader: () => ({ read: async () => undefined }) } }), 'truncated'],
  'gives a stream without read()': [async () => ({ status: 200, body: { getReader: () => ({}) } }), 'truncated'],
  'gives a reader that throws': [async () => ({ status: 200, body: { getReader: raise(undefined) } }), 'truncated'],
  'gives arrayBuffer() of nothing': [async () => ({ status: 200, arrayBuffer: async () => undefined }), 'truncated'],
  'gives a body that was read already': [
    async () => {
      const response = new Response('{}');
      await response.text();
      return response;
    },
    'truncated',
  ],
  'throws an error': [raise(new TypeError('not today')), 'offline'],
  'throws undefined': [raise(undefined), 'offline'],
  'throws what has no text': [raise(Object.create(null)), 'offline'],
  'throws a symbol': [raise(Symbol('x')), 'offline'],
  'rejects with undefined': [reject(undefined), 'offline'],
  'rejects with a text': [reject('gone'), 'offline'],
  'gives a promise that throws': [() => ({ then: raise(undefined) }), 'offline'],
};

for (const [what, [useless, code]] of Object.entries(USELESS)) {
  test(`a fetch that ${what} is an error, a copy, and told to a watch`, async () => {
    const server = await published();
    const events = [];
    let isUseless = true;
    const own = (url, init) => (isUseless ? useless(url, init) : fetch(url, init));
    const feed = await open(server.url, { wasm, fetch: own, onEvent: (event) => events.push(event) });
    const error = await feed.read('sales').then(assert.fail, (thrown) => thrown);
    assert.ok(error instanceof LastgoodError, String(error?.stack));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes('manifest.json'), error.message);
    assert.deepEqual(events.map(({ type }) => type), ['error']);

    const told = await new Promise((resolve) => feed.watch('sales', assert.fail, { onError: resolve }));
    assert.equal(told.code, code);

    isUseless = false;
    await feed.read('sales');
    isUseless = true;
    const copy = await feed.read('sales');
    assert.deepEqual([copy.data, copy.source, copy.reason], [JSON.parse(SALES), 'fallback', code]);
    feed.close();
  });
}

test('a body that is not one of the browser is read to its limit', async () => {
  const server = await published();
  let taken = 0;
  const endless = async function* () {
    for (;;) {
      taken += 1;
      yield Buffer.alloc(1 << 20, '[');
    }
  };
  const feed = await open(server.url, { wasm, fetch: async () => ({ status: 200, body: Readable.from(endless()) }) });
  await assert.rejects(feed.read('sales'), { code: 'too-large' });
  assert.ok(taken < 100, `${taken} parts were taken`);
});
