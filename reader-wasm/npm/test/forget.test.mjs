// Signing out: nothing of a feed is left on the device.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { entry, wasm } from './support/package.mjs';
import { settled } from './support/settled.mjs';
import { away, device, seen, served, taker } from './support/world.mjs';

const { open } = await import(entry);
const LARGE = JSON.stringify('x'.repeat(1_800_000));
const DATA = { a: '"a1"', b: LARGE };

let storage;
let caches;
beforeEach(() => ({ storage, caches } = device()));

async function visit(t, server, options) {
  const feed = await open(server.url, { wasm, minIntervalMs: 1, intervalMs: 3_600_000, shareTabs: false, ...options });
  t.after(() => feed.close());
  return feed;
}

const kept = async () => [...(await caches.open('lastgood:1')).entries.keys()];

test('everything goes: from localStorage, Cache Storage and memory, and nothing of another feed', async (t) => {
  const [server, other] = [await served(DATA), await served({ c: '"c"' })];
  const [feed, another] = [await visit(t, server), await visit(t, other)];
  await feed.snapshot(['a', 'b']);
  await another.read('c');
  await settled();
  assert.equal((await kept()).length, 1);
  await feed.forget();
  const left = storage.keys().filter((key) => !key.startsWith(`lastgood:1:${other.url}`));
  assert.deepEqual(left, ['lastgood:1:+forgotten']);
  assert.ok(!storage.getItem('lastgood:1:+forgotten').includes('http'), 'the mark says nothing of the feed');
  assert.deepEqual(await kept(), []);
  assert.deepEqual([feed.held('a'), feed.held(['a', 'b'])], [null, null]);
  assert.deepEqual(seen(await another.read('c')), ['c', true, null]);
  away(server);
  await assert.rejects(feed.read('a'), { code: 'offline' });
  away(other);
  assert.equal((await another.read('c')).data, 'c');
});

test('it is read and kept anew after that', async (t) => {
  const server = await served(DATA);
  const feed = await visit(t, server);
  await feed.read('a');
  await feed.forget();
  server.takeRequests();
  assert.equal((await feed.read('a')).source, 'network');
  assert.ok(server.takeRequests().includes('a.json'));
  assert.ok(storage.keys().includes(`lastgood:1:${server.url}:a`));
});

test('a read under way hands out what it brings, and keeps nothing of it', async (t) => {
  const server = await served(DATA);
  const feed = await visit(t, server);
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const manifest = server.files.get('manifest.json');
  server.files.set('manifest.json', async (_, response) => {
    await gate;
    response.end(manifest);
  });
  const reading = feed.read('a');
  await settled();
  await feed.forget();
  release();
  assert.equal((await reading).data, 'a1');
  await settled();
  assert.deepEqual(storage.keys(), ['lastgood:1:+forgotten']);
});

test('what is still to be written is not written', async (t) => {
  const server = await served(DATA);
  const feed = await visit(t, server);
  await feed.snapshot(['a', 'b']);
  await feed.forget();
  await settled();
  assert.deepEqual([storage.keys(), await kept()], [['lastgood:1:+forgotten'], []]);
});

test('another tab drops what it holds at its next look, and a watch reads anew', async (t) => {
  const server = await served(DATA);
  const [feed, tab] = [await visit(t, server), await visit(t, server)];
  const { told, tell, until } = taker();
  tab.watch('a', tell);
  await until(() => told.length > 0);
  await feed.read('a');
  await feed.forget();
  const back = away(server);
  await assert.rejects(tab.read('a'), { code: 'offline' });
  assert.equal(tab.held('a'), null);
  back();
  await tab.refresh();
  assert.deepEqual(seen(await until(() => told.length > 1)), ['a1', true, null]);
});

test('a closed feed is not asked to forget', async (t) => {
  const feed = await visit(t, await served(DATA));
  feed.close();
  await assert.rejects(feed.forget(), { code: 'closed' });
});
