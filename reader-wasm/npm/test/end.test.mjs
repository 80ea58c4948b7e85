// How a call ends before its time: signals, close, limits of time and size.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { test } from 'node:test';

import { FeedServer, sha256 } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';

const { open } = await import(entry);
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

/** A server whose answer to the manifest never comes; `asked` resolves with the response that is not sent. */
async function silentServer() {
  const server = await FeedServer.start();
  const asked = new Promise((resolve) => {
    server.files.set('manifest.json', (_, response) => resolve(response));
  });
  return { server, asked };
}

test('a signal ends the call, its requests and its timers', async () => {
  const { server, asked } = await silentServer();
  const feed = await open(server.url, { wasm });
  const [controller, before] = [new AbortController(), timers()];
  const reading = feed.read('sales', { signal: controller.signal });
  const response = await asked;
  const dropped = once(response, 'close');
  controller.abort(new Error('left the page'));
  await assert.rejects(reading, { name: 'LastgoodError', code: 'aborted', cause: new Error('left the page') });
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  await dropped;
  assert.equal(timers(), before);
});

test('an aborted signal refuses the call before any request', async () => {
  const server = await FeedServer.start();
  const feed = await open(server.url, { wasm });
  await assert.rejects(feed.read('sales', { signal: AbortSignal.abort() }), { code: 'aborted' });
  assert.deepEqual(server.takeRequests(), []);
});

test('a signal keeps no listener of a call that has ended', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[]' });
  const feed = await open(server.url, { wasm });
  const [{ signal }, before] = [new AbortController(), timers()];
  await feed.read('sales', { signal });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(timers(), before);
});

test('closing ends every call and refuses later ones', async () => {
  const { server, asked } = await silentServer();
  const feed = await open(server.url, { wasm });
  const calls = [feed.read('sales'), feed.snapshot(['sales', 'stock'])];
  const dropped = once(await asked, 'close');
  feed.close();
  for (const call of calls) await assert.rejects(call, { name: 'LastgoodError', code: 'closed' });
  await dropped;
  server.takeRequests();
  await assert.rejects(feed.read('sales'), { code: 'closed' });
  await assert.rejects(feed.snapshot(['sales']), { code: 'closed' });
  assert.deepEqual(server.takeRequests(), []);
  feed.close();
});

test('closing one feed leaves another alone', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[]' });
  const [one, other] = [await open(server.url, { wasm }), await open(server.url, { wasm })];
  one.close();
  assert.deepEqual((await other.read('sales')).data, []);
});

test('waiting for a lock ends with its signal', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[]' });
  server.lock(['sales']);
  const feed = await open(server.url, { wasm });
  const controller = new AbortController();
  const marker = server.files.get('.lock');
  let looks = 0;
  server.files.set('.lock', (_, response) => {
    response.end(marker);
    if (++looks === 2) controller.abort();
  });
  await assert.rejects(feed.read('sales', { lock: 'wait', signal: controller.signal }), { code: 'aborted' });
});

test('a server that does not answer is a timeout, and the request ends', async () => {
  const { server, asked } = await silentServer();
  let dropped;
  asked.then((response) => (dropped = once(response, 'close')));
  // On a busy machine the time may be up before the request has arrived; the next one has twice as much.
  for (let timeoutMs = 20; !dropped; timeoutMs *= 2) {
    const feed = await open(server.url, { wasm, timeoutMs });
    await assert.rejects(feed.read('sales'), { code: 'timeout', url: `${server.url}manifest.json` });
  }
  await dropped;
});

/** Answers of a made-up `fetch`, with a body that the test writes; everything else is 404. */
function scripted(t, bodies) {
  const writers = {};
  t.mock.method(globalThis, 'fetch', async (url, { signal }) => {
    const path = url.split('/data/')[1];
    if (!bodies.includes(path)) return new Response(null, { status: 404 });
    const body = new ReadableStream({
      start(controller) {
        writers[path] = controller;
        signal.addEventListener('abort', () => (writers[path].aborted = true));
      },
    });
    return new Response(body);
  });
  return writers;
}

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('a payload may take long as long as something arrives; a manifest may not', async (t) => {
  const [text, source] = ['[1,2,3]', await FeedServer.start()];
  source.publish({ sales: text });
  const feeds = await Promise.all([1, 2, 3].map(() => open('http://localhost/data/', { wasm, timeoutMs: 1000 })));
  const object = `objects/${sha256(text)}.json`;
  const bytes = (text) => new TextEncoder().encode(text);
  const clock = t.mock.timers;
  clock.enable({ apis: ['setTimeout'] });

  await t.test('payload', async (t) => {
    const writers = scripted(t, ['manifest.json', object]);
    const reading = feeds[0].read('sales', { lock: 'ignore' });
    await settle();
    writers['manifest.json'].enqueue(bytes(source.files.get('manifest.json')));
    writers['manifest.json'].close();
    while (!writers[object]) await settle();
    for (const part of ['[1,', '2,', '3]']) {
      clock.tick(900);
      await settle();
      writers[object].enqueue(bytes(part));
      await settle();
    }
    writers[object].close();
    assert.deepEqual((await reading).data, [1, 2, 3]);
  });

  await t.test('payload that stops', async (t) => {
    const writers = scripted(t, ['manifest.json', object]);
    const reading = feeds[1].read('sales', { lock: 'ignore' });
    await settle();
    writers['manifest.json'].enqueue(bytes(source.files.get('manifest.json')));
    writers['manifest.json'].close();
    while (!writers[object]) await settle();
    writers[object].enqueue(bytes('[1,'));
    await settle();
    clock.tick(1001);
    await assert.rejects(reading, { code: 'timeout', dataset: 'sales' });
    assert.equal(writers[object].aborted, true);
  });

  await t.test('manifest', async (t) => {
    const writers = scripted(t, ['manifest.json']);
    const refused = assert.rejects(feeds[2].read('sales', { lock: 'ignore' }), { code: 'timeout', dataset: null });
    await settle();
    for (let i = 0; i < 2; i += 1) {
      writers['manifest.json'].enqueue(bytes(' '));
      await settle();
      clock.tick(501);
      await settle();
    }
    await refused;
    assert.equal(writers['manifest.json'].aborted, true);
  });
});

test('no more is read than is allowed', async (t) => {
  await t.test('a payload declared too large is not asked for', async () => {
    const server = await FeedServer.start();
    server.publish({ sales: JSON.stringify('x'.repeat(100)) });
    server.files.delete('sales.json');
    const feed = await open(server.url, { wasm, maxBytes: 50 });
    await assert.rejects(feed.read('sales'), { code: 'too-large', dataset: 'sales' });
    assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json', 'sales.json']);
  });

  await t.test('a body beyond its declared size is cut off', async () => {
    const server = await FeedServer.start();
    server.publish({ sales: '[]' });
    server.files.delete('sales.json');
    let cutOff = 0;
    server.files.set(`objects/${sha256('[]')}.json`, (_, response) => {
      response.on('close', () => (cutOff += 1));
      const pour = () => {
        while (!response.destroyed && response.write('[1,2,3,4,5,6,7,8,9,0],'.repeat(1000)));
      };
      response.on('drain', pour);
      pour();
    });
    const feed = await open(server.url, { wasm });
    await assert.rejects(feed.read('sales'), { code: 'checksum-mismatch', dataset: 'sales' });
    while (cutOff < 2) await settle();
  });
});
