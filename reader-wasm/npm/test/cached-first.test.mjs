// What a page has already comes before what a server has yet to answer.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { entry, wasm } from './support/package.mjs';
import { settled } from './support/settled.mjs';
import { away, device, seen, served, taker } from './support/world.mjs';

const { open } = await import(entry);
const DATA = { a: '"a1"', b: '"b1"' };

beforeEach(device);

async function visit(t, server, options) {
  const feed = await open(server.url, { wasm, minIntervalMs: 1, intervalMs: 3_600_000, shareTabs: false, ...options });
  t.after(() => feed.close());
  return feed;
}

/** A visitor who comes again, of a server that accepts connections and answers nothing. */
async function returning(t, options) {
  const server = await served(DATA);
  const before = await visit(t, server);
  await before.snapshot(['a', 'b']);
  await settled();
  before.close();
  const back = away(server, { hung: true });
  return { server, back, feed: await visit(t, server, options) };
}

test('a watch begins with the copy, and goes on with what the look brings', async (t) => {
  const { server, back, feed } = await returning(t);
  const [one, both] = [taker(), taker()];
  feed.watch('a', one.tell);
  feed.watch(['a', 'b'], both.tell);
  assert.deepEqual([one.told, both.told], [[], []], 'not before watch has returned');
  await one.until((told) => told.length > 0);
  await both.until((told) => told.length > 0);
  assert.deepEqual([seen(one.told[0]), one.told[0].source], [['a1', false, 'checking'], 'cache']);
  assert.deepEqual(seen(both.told[0]), { a: ['a1', false, 'checking'], b: ['b1', false, 'checking'] });
  const updates = feed.updates('b');
  assert.deepEqual(seen((await updates.next()).value), ['b1', false, 'checking']);
  back();
  server.publish({ ...DATA, a: '"a2"' }, { generation: 2 });
  // The look under way is never answered.
  feed.close();
  const later = await visit(t, server);
  const { told, tell, until } = taker();
  later.watch('a', tell);
  await until(() => told.at(-1)?.fresh);
  assert.deepEqual(told.map(seen), [['a1', false, 'checking'], ['a2', true, null]]);
});

test('with cached: "fallback" a watch waits for the look', async (t) => {
  const { feed } = await returning(t, { timeoutMs: 50 });
  const { told, tell, until } = taker();
  feed.watch('a', tell, { cached: 'fallback' });
  await until(() => told.length > 0);
  assert.deepEqual(told.map(seen), [['a1', false, 'timeout']]);
});

test('a read takes the copy after the time that it waits, and the look goes on', async (t) => {
  const { server, back, feed } = await returning(t, { timeoutMs: 100_000 });
  const reading = await feed.read('a', { within: 5 });
  assert.deepEqual([seen(reading), reading.source], [['a1', false, 'timeout'], 'cache']);
  const { a, b } = await feed.snapshot(['a', 'b'], { within: 0 });
  assert.deepEqual([seen(a), seen(b)], [['a1', false, 'timeout'], ['b1', false, 'timeout']]);
  // What the look brings in the end is held for those who ask later.
  back();
  const pending = [];
  server.files.set('manifest.json', (_, response) => pending.push(response));
  const manifest = (() => {
    server.publish({ ...DATA, a: '"a2"' }, { generation: 2 });
    const text = server.files.get('manifest.json');
    server.files.set('manifest.json', (_, response) => pending.push(response));
    return text;
  })();
  const late = await visit(t, server);
  assert.deepEqual(seen(await late.read('a', { within: 5 })), ['a1', false, 'timeout']);
  const looked = new Promise((resolve) => late.onLook(resolve));
  for (const response of pending) response.writeHead(200, { 'content-type': 'application/json' }).end(manifest);
  await looked;
  await settled();
  assert.deepEqual(seen(late.held('a')), ['a2', true, null]);
});

test('a read that is answered in time is what it would be without a limit', async (t) => {
  const server = await served(DATA);
  const feed = await visit(t, server, { within: 60_000 });
  assert.deepEqual(seen(await feed.read('a')), ['a1', true, null]);
  server.publish({ ...DATA, a: '"a2"' }, { generation: 2 });
  assert.deepEqual(seen(await feed.read('a')), ['a2', true, null]);
  away(server);
  assert.deepEqual(seen(await feed.read('a')), ['a2', false, 'offline']);
  await assert.rejects(feed.read('nothing'), { code: 'offline' });
});

test('without a copy, a read waits for longer than its time, and until its signal', async (t) => {
  const server = await served(DATA);
  away(server, { hung: true });
  const feed = await visit(t, server);
  const controller = new AbortController();
  const reading = feed.read('a', { within: 1, signal: controller.signal });
  await settled();
  controller.abort('enough');
  await assert.rejects(reading, { code: 'aborted', cause: 'enough' });
  await assert.rejects(feed.read('a', { within: 1, signal: AbortSignal.abort() }), { code: 'aborted' });
});

test('who wants the copy first has it at once, and the look goes on', async (t) => {
  const { feed } = await returning(t);
  const reading = await feed.read('a', { cached: 'first' });
  assert.deepEqual([seen(reading), reading.source], [['a1', false, 'checking'], 'cache']);
  const server = await served({ c: '1' });
  const first = await visit(t, server, { cached: 'first' });
  assert.deepEqual(seen(await first.read('c')), [1, true, null], 'a first visit waits');
});

test('a copy that is too old is not handed out first', async (t) => {
  const { feed } = await returning(t, { timeoutMs: 100 });
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
  t.after(() => mock.timers.reset());
  await assert.rejects(feed.read('a', { cached: 'first', maxAge: 1000 }), { code: 'too-old' });
  const { told, errors, tell, fail, until } = taker();
  feed.watch('a', tell, { maxAge: 1000, onError: fail });
  await until(() => errors.length > 0);
  assert.deepEqual([told, errors[0].code], [[], 'too-old']);
});

test('what is held begins a watch without a request of its own, and prefetch holds it', async (t) => {
  const server = await served(DATA);
  const feed = await visit(t, server);
  assert.equal(feed.held('a'), null);
  await feed.prefetch(['a', 'b']);
  assert.deepEqual(seen(feed.held('a')), ['a1', true, null]);
  assert.deepEqual(seen(feed.held(['b', 'a'])), { b: ['b1', true, null], a: ['a1', true, null] });
  assert.equal(feed.held(['a', 'c']), null);
  const { told, tell } = taker();
  feed.watch('a', tell);
  await Promise.resolve();
  assert.deepEqual(told.map(seen), [['a1', true, null]]);
  await feed.refresh();
  assert.equal(told.length, 1, 'the look says the same');
  await feed.prefetch('nothing');
  await assert.rejects(feed.prefetch('Not A Name'), { code: 'invalid-name' });
  const shaped = taker();
  feed.watch('a', shaped.tell, { schema: { '~standard': { version: 1, vendor: 't', validate: (value) => ({ value: [value] }) } } });
  await shaped.until((told) => told.length > 0);
  assert.deepEqual(shaped.told.map(({ data }) => data), [['a1']], 'never in another shape');
});

test('a first visit during a lock has what the manifest names at once', async (t) => {
  const server = await served(DATA);
  server.lock(['a']);
  const feed = await visit(t, server);
  const reading = await feed.read('a');
  assert.deepEqual([seen(reading), reading.source], [['a1', false, 'locked'], 'network']);
  assert.equal(server.takeRequests().filter((path) => path === 'manifest.json').length, 1);
  const waiting = feed.read('b', { lock: 'wait' });
  server.lock(['b']);
  const patient = await visit(t, server, { lock: 'wait' });
  const read = patient.read('b');
  await settled();
  server.files.delete('.lock');
  assert.deepEqual([seen(await read), seen(await waiting)], [['b1', true, null], ['b1', true, null]]);
});

test('where the page\'s "init" refuses, no copy is handed out', async (t) => {
  const server = await served(DATA);
  let refuse = false;
  const init = async () => {
    if (refuse) throw new Error('signed out');
    return {};
  };
  await (await visit(t, server, { init })).read('a');
  await settled();
  refuse = true;
  const feed = await visit(t, server, { init });
  for (const options of [{}, { within: 0 }, { cached: 'first' }]) {
    await assert.rejects(feed.read('a', options), { code: 'invalid-options', message: /signed out/ });
    await assert.rejects(feed.snapshot(['a'], options), { code: 'invalid-options' });
  }
  const { told, errors, tell, fail, until } = taker();
  feed.watch('a', tell, { onError: fail });
  await until(() => errors.length > 0);
  await settled();
  assert.deepEqual([told, errors[0].code], [[], 'invalid-options']);
});
