// The feed in memory that tests of apps drive, here by its own tests: whatever it does comes out of the reader as it would in a page.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { directory } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { testFeed } = await import(new URL('testing.js', directory));

/** A feed, and what a watch of a dataset was told last. */
async function watched(t, values, name = 'sales', options) {
  const feed = await testFeed(values, options);
  t.after(() => feed.close());
  const last = {};
  const tell = (reading) => Object.assign(last, { reading, error: null });
  feed.watch(name, tell, { onError: (error) => (last.error = error) });
  await feed.refresh();
  return { feed, last };
}

test('what is published is read, in generations, and everything that watches has it', async (t) => {
  const { feed, last } = await watched(t, { sales: [1], stock: 5 });
  assert.deepEqual([last.reading.data, last.reading.fresh, last.reading.generation], [[1], true, 1]);
  const publishedAt = new Date(Date.now() - 60_000);
  await feed.publish({ sales: [1, 2] }, { meta: { model: 'x' }, publishedAt });
  const { data, generation, meta, ageMs } = last.reading;
  assert.deepEqual([data, generation, meta], [[1, 2], 2, { model: 'x' }]);
  assert.ok(ageMs >= 59_000 && ageMs < 70_000, `${ageMs}`);
  const { sales, stock } = await feed.snapshot(['sales', 'stock']);
  assert.deepEqual([sales.data, stock.data, stock.generation], [[1, 2], 5, 2]);
  await assert.rejects(feed.publish({ sales: undefined }), { code: 'invalid-options', message: /"sales".*no JSON value/ });
});

test('a server that goes away, in each way, and comes back', async (t) => {
  const { feed, last } = await watched(t, { sales: [1] }, 'sales', { timeoutMs: 50 });
  for (const [how, reason] of [[undefined, 'offline'], [503, 'http']]) {
    await feed.goAway(how);
    assert.deepEqual([last.reading.data, last.reading.fresh, last.reading.reason], [[1], false, reason]);
    await feed.comeBack();
    assert.equal(last.reading.fresh, true);
  }
  await feed.goAway('hangs');
  assert.equal((await feed.read('sales')).reason, 'timeout');
  await feed.comeBack();
  assert.equal(last.reading.fresh, true);
});

test('damage is refused, and its repair is read', async (t) => {
  const { feed, last } = await watched(t, { sales: [1] });
  await feed.damage('sales');
  await feed.publish({ sales: [2] });
  assert.deepEqual([last.reading.data, last.reading.reason], [[1], 'checksum-mismatch']);
  await feed.repair();
  assert.deepEqual([last.reading.data, last.reading.fresh], [[2], true]);
  await assert.rejects(feed.damage('stock'), { message: /nothing is published under "stock": there are sales/ });
});

test('locked, withdrawn and expired datasets', async (t) => {
  const feed = await testFeed({ sales: [1], stock: [2] });
  t.after(() => feed.close());
  await feed.read('sales');
  await feed.lock('sales');
  assert.equal((await feed.read('sales')).reason, 'locked');
  assert.equal((await feed.read('stock', { lockWaitMs: 1 })).fresh, true);
  await feed.unlock();
  assert.equal((await feed.read('sales')).fresh, true);
  await feed.remove('sales');
  assert.equal((await feed.read('sales')).reason, 'not-found');
  await feed.publish({ sales: [3] }, { expiresAt: new Date(Date.now() - 1000) });
  const { data, reason } = await feed.read('sales');
  assert.deepEqual([data, reason], [[3], 'expired']);
});

test('artifacts are published, damaged and repaired, and a watch of one follows', async (t) => {
  const feed = await testFeed();
  t.after(() => feed.close());
  await feed.publishArtifact('chart', 'one', 'svg');
  assert.equal(await (await feed.artifact('chart')).data.text(), 'one');
  await feed.publishArtifact('other', new Uint8Array([1, 2]), 'png');
  await feed.damage('other');
  const told = [];
  feed.watchArtifact('other', (chart) => told.push(chart), { onError: ({ code }) => told.push(code) });
  await feed.refresh();
  await feed.repair();
  assert.deepEqual([told[0], told.length, told[1].ext], ['checksum-mismatch', 2, 'png']);
  const url = told[1].objectUrl();
  assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, 2);
  await feed.publish({ sales: [1] });
  assert.equal(told.length, 2, 'the same picture is nothing new');
  assert.throws(() => feed.watchArtifact('other'), { code: 'invalid-options', message: /a function to call back/ });
  assert.throws(() => feed.watchArtifact('other', () => {}, { fallback: 1 }), { code: 'invalid-options' });
});

test('a later visit has the copies, if they are kept; requests are told', async (t) => {
  install(new FakeStorage());
  t.after(() => install(undefined));
  const feed = await testFeed({ sales: [1] }, { cache: 'auto' });
  t.after(() => feed.close());
  await feed.read('sales');
  assert.ok(feed.requests.includes('manifest.json'));
  await feed.goAway();
  const later = await feed.visit({ cache: 'auto' });
  assert.deepEqual((await later.read('sales')).data, [1]);
  await assert.rejects((await feed.visit()).read('sales'), { code: 'offline' });
  // Another feed shares nothing with it.
  assert.deepEqual((await (await testFeed({ sales: [9] }, { cache: 'auto' })).read('sales')).data, [9]);
});
