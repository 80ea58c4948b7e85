// What the page knows of the shape of its datasets.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { z } from 'zod';

import { FeedServer } from './support/feed.mjs';
import { entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const { open } = await import(entry);

/** A server with one publication of "sales", and a feed that knows of shapes. */
async function setUp(text, datasets, published) {
  const server = await FeedServer.start();
  server.publish({ sales: text }, published);
  return { server, feed: await open(server.url, { wasm, datasets }) };
}

const version = (number) => ({ schema: { version: number, text: 'true' } });

test('the shape that open was told is that of every read, and options of a read come before it', async () => {
  const { feed } = await setUp('[9007199254740993]', { sales: { numbers: 'bigint' } });
  const { data } = await feed.read('sales');
  assert.deepEqual(data, [9007199254740993n]);
  assert.equal((await feed.read('sales', { numbers: undefined })).data, data);
  assert.equal((await feed.snapshot(['sales'])).sales.data, data);
  assert.deepEqual((await feed.read('sales', { numbers: 'string' })).data, ['9007199254740993']);
  const schema = z.tuple([z.bigint()]).transform(([id]) => id);
  assert.equal((await feed.read('sales', { schema })).data, 9007199254740993n);
});

test('an older version is led to that of the page, also out of the cache of another visit', async (t) => {
  install(new FakeStorage());
  t.after(() => delete globalThis.localStorage);
  const steps = { 1: (rows) => [...rows, 'from 1'], 2: (rows) => [...rows, 'from 2'] };
  const datasets = { sales: { version: 3, migrate: steps, schema: z.array(z.string()) } };
  const { server, feed } = await setUp('["row"]', datasets, version(1));
  const reading = await feed.read('sales');
  assert.deepEqual(reading.data, ['row', 'from 1', 'from 2']);
  assert.equal(reading.schemaVersion, 1);
  assert.equal((await feed.read('sales')).data, reading.data);
  server.stop();
  const later = await open(server.url, { wasm, datasets });
  const copy = await later.read('sales');
  assert.deepEqual([copy.data, copy.reason], [['row', 'from 1', 'from 2'], 'offline']);
});

test('a version that the page cannot read is not downloaded, and the copy before it is handed out', async () => {
  const { server, feed } = await setUp('["old"]', { sales: { version: 2 } }, version(2));
  await feed.read('sales');
  server.publish({ sales: '["new"]' }, { generation: 2, ...version(3) });
  server.takeRequests();
  const reading = await feed.read('sales');
  assert.deepEqual([reading.data, reading.source, reading.reason], [['old'], 'fallback', 'schema-newer']);
  assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
});

test('without a copy, the code says what does not fit', async () => {
  const cases = [
    [version(3), { version: 2 }, 'schema-newer'],
    [version(1), { version: 3, migrate: { 2: (rows) => rows } }, 'schema-older'],
    [{}, { version: 2 }, 'schema-missing'],
    [version(2), { version: 3, migrate: { 2: () => assert.fail('defect') } }, 'migration-failed'],
    [{}, { schema: z.array(z.number()) }, 'schema-invalid'],
  ];
  for (const [published, shape, code] of cases) {
    const { feed } = await setUp('["row"]', { sales: shape }, published);
    await assert.rejects(feed.read('sales'), { name: 'LastgoodError', code, dataset: 'sales' });
    await assert.rejects(feed.snapshot(['sales']), { code });
  }
});

test('what the page refuses is not kept, and gives way to the copy before it until it is repaired', async (t) => {
  install(new FakeStorage());
  t.after(() => delete globalThis.localStorage);
  const datasets = { sales: { schema: z.array(z.number()) } };
  const { server, feed } = await setUp('[1]', datasets);
  const good = await feed.read('sales');

  server.publish({ sales: '["x"]' }, { generation: 2 });
  const refused = await feed.read('sales');
  assert.equal(refused.data, good.data);
  assert.deepEqual([refused.source, refused.reason, refused.fresh], ['fallback', 'schema-invalid', false]);
  assert.match(refused.detail, /at \/0: /);
  assert.deepEqual([refused.generation, refused.sha256], [1, good.sha256]);

  const visit = await open(server.url, { wasm, datasets });
  assert.deepEqual((await visit.read('sales')).data, [1]);

  server.publish({ sales: '[3]' }, { generation: 3 });
  const repaired = await feed.read('sales');
  assert.deepEqual([repaired.data, repaired.fresh, repaired.generation], [[3], true, 3]);
});

test('a snapshot of which one is refused is the one before, whole', async () => {
  const server = await FeedServer.start();
  server.publish({ sales: '[1]', stock: '[1]' });
  const feed = await open(server.url, { wasm, datasets: { sales: { schema: z.array(z.number()) } } });
  await feed.snapshot(['sales', 'stock']);
  server.publish({ sales: '["x"]', stock: '[2]' }, { generation: 2 });
  const { sales, stock } = await feed.snapshot(['sales', 'stock']);
  assert.deepEqual([sales.data, stock.data], [[1], [1]]);
  assert.deepEqual([sales.generation, stock.generation], [1, 1]);
  assert.deepEqual([sales.reason, stock.reason], ['schema-invalid', 'schema-invalid']);
});

test('a copy that is too old is not handed out in place of what was refused', async () => {
  const { server, feed } = await setUp('[1]', { sales: { schema: z.array(z.number()) } });
  await feed.read('sales');
  server.publish({ sales: '["x"]' }, { generation: 2 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const error = await feed.read('sales', { maxAge: 0 }).catch((refused) => refused);
  assert.equal(error.code, 'too-old');
  assert.deepEqual(error.reading.data, [1]);
});

test('the published schema is asked unless the page does not want it', async () => {
  const schema = { version: 1, text: '{"items": {"type": "number"}}' };
  const { feed } = await setUp('["x"]', {}, { schema });
  await assert.rejects(feed.read('sales'), { code: 'schema-invalid' });
  assert.deepEqual((await feed.read('sales', { validate: false })).data, ['x']);
});

test('a call that is given up does not wait for a validator, and others get its verdict', async () => {
  let agree;
  const asked = new Promise((resolve) => {
    agree = resolve;
  });
  const { feed } = await setUp('[1]', { sales: { schema: z.array(z.number()).refine(() => asked) } });
  const call = new AbortController();
  const [one, other] = [feed.read('sales', { signal: call.signal }), feed.read('sales')];
  setTimeout(() => call.abort(), 20);
  await assert.rejects(one, { code: 'aborted' });
  agree(true);
  assert.deepEqual((await other).data, [1]);
});

test('what is no shape is refused, with its place', async (t) => {
  const cases = [
    [{ version: '2' }, /option "version".*: expected a whole number, found "2"$/],
    [{ version: 1.5 }, /option "version".*: expected a whole number, found 1.5$/],
    [{ migrate: { 1: 'up' } }, /option "migrate".*: expected an object with a function under each version/],
    [{ schema: {} }, /option "schema".*: expected a Standard Schema, such as one of zod, valibot or arktype/],
    [{ validate: 0 }, /option "validate".*: expected true or false, found 0$/],
    [{ numbers: 'BigInt' }, /option "numbers".*: expected "number" or "bigint" or "string", found "BigInt"$/],
    [{ lock: 'wait', schemas: {} }, /no option "(lock|schemas)"/],
  ];
  const feed = await open('http://localhost/data/', { wasm });
  for (const [shape, message] of cases) {
    await t.test(String(message), async () => {
      await assert.rejects(feed.read('sales', shape), { code: 'invalid-options', message });
      const opened = open('http://localhost/data/', { wasm, datasets: { sales: shape } });
      await assert.rejects(opened, { message });
      await assert.rejects(opened, { message: /of "sales" in "datasets"/ });
    });
  }
  await assert.rejects(open('http://localhost/data/', { wasm, datasets: 'sales' }), {
    message: /option "datasets": expected an object with a shape under each name, found "sales"$/,
  });
});
