// Components and queries on a feed in memory: what they say of an outage, a lock or damage is the same at every moment, and true.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { QueryClient, QueryObserver } from '@tanstack/query-core';
import fc from 'fast-check';
import { Window } from 'happy-dom';

import { directory } from './support/package.mjs';

// Installed, as far as Node can tell, beside the React of these tests.
const project = await mkdtemp(join(tmpdir(), 'lastgood-hooks-'));
after(() => rm(project, { recursive: true }));
await mkdir(join(project, 'node_modules'));
await cp(directory, pathToFileURL(join(project, 'node_modules/lastgood')), { recursive: true });
await symlink(fileURLToPath(new URL('../node_modules/react', import.meta.url)), join(project, 'node_modules/react'));
const installed = (entry) => import(pathToFileURL(join(project, 'node_modules/lastgood', entry)).href);
const { testFeed } = await installed('testing.js');
const { queryOptions } = await installed('tanstack.js');

let react;
let hooks;
let createRoot;
before(async () => {
  const window = new Window();
  after(() => window.happyDOM.close());
  const { document, navigator } = window;
  for (const [name, value] of Object.entries({ window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  react = await import('react');
  ({ createRoot } = await import('react-dom/client'));
  hooks = await installed('react.js');
});

/** Lets everything that is under way be told. */
const settle = () => react.act(() => new Promise((resolve) => setTimeout(resolve, 5)));

/** Waits until the last result of a component is as it should be. */
async function until(results, condition) {
  for (let left = 400; !condition(results.at(-1)); left -= 1) {
    assert.ok(left > 0, `${condition}: ${JSON.stringify(results.at(-1))}`);
    await settle();
  }
  return results.at(-1);
}

/** Mounts a component that does nothing but call a hook; returns what that has returned in each render. */
async function mounted(t, use) {
  const results = [];
  const root = createRoot(document.createElement('main'));
  const Shown = () => {
    results.push(use());
    return null;
  };
  await react.act(async () => root.render(react.createElement(Shown)));
  const unmount = () => react.act(async () => root.unmount());
  t.after(unmount);
  return { results, unmount };
}

test('what was read ahead is there in the first render, also of the promise of a feed', async (t) => {
  const feed = await testFeed({ sales: [1], stock: [2] });
  t.after(() => feed.close());
  await feed.prefetch(['sales', 'stock']);
  feed.requests.length = 0;
  const one = await mounted(t, () => hooks.useDataset(feed, 'sales'));
  const both = await mounted(t, () => hooks.useSnapshot(feed, ['stock', 'sales']));
  assert.deepEqual([one.results[0].data, one.results[0].isFresh], [[1], true]);
  assert.deepEqual(both.results[0].data, { stock: [2], sales: [1] });
  await settle();
  assert.equal(feed.requests.filter((path) => path.startsWith('objects/')).length, 0);
});

test('a component that comes back has its data, and is told what the feed has become', async (t) => {
  const feed = await testFeed({ sales: [1] });
  t.after(() => feed.close());
  const first = await mounted(t, () => hooks.useDataset(feed, 'sales'));
  await until(first.results, ({ data }) => data);
  assert.equal(first.results[0].status, 'pending');
  await first.unmount();
  await feed.publish({ sales: [2] });
  const again = await mounted(t, () => hooks.useDataset(feed, 'sales'));
  assert.deepEqual(again.results[0].status, 'success');
  const { data } = await until(again.results, ({ isFresh, isFetching }) => isFresh && !isFetching);
  assert.deepEqual(data, [2]);
});

test('a look that is under way is seen, and its end', async (t) => {
  const feed = await testFeed({ sales: [1] }, { timeoutMs: 60 });
  t.after(() => feed.close());
  const { results } = await mounted(t, () => hooks.useDataset(feed, 'sales'));
  await until(results, ({ isFetching, isFresh }) => isFresh && !isFetching);
  await react.act(() => feed.goAway('hangs'));
  assert.deepEqual((await until(results, ({ isFetching }) => isFetching)).data, [1]);
  const { isFresh, reading } = await until(results, ({ isFetching }) => !isFetching);
  assert.deepEqual([isFresh, reading.reason], [false, 'timeout']);
});

test('a chart that was damaged comes back when it is repaired, and goes with its object URL', async (t) => {
  const feed = await testFeed();
  t.after(() => feed.close());
  await feed.publishArtifact('chart', 'one', 'svg');
  await feed.damage('chart');
  const { results, unmount } = await mounted(t, () => hooks.useArtifact(feed, 'chart'));
  assert.equal((await until(results, ({ status }) => status === 'error')).error.code, 'checksum-mismatch');
  await react.act(() => feed.repair());
  const { url, error } = await until(results, ({ status }) => status === 'success');
  assert.equal(error, null);
  assert.equal(await (await fetch(url)).text(), 'one');
  await react.act(() => feed.publishArtifact('chart', 'two', 'svg'));
  const { url: next } = await until(results, (result) => result.url !== url);
  assert.equal(await (await fetch(next)).text(), 'two');
  await settle();
  await assert.rejects(fetch(url), 'it is revoked');
  await unmount();
});

/** Something that may happen to a feed. */
const STEPS = [
  (feed, n) => feed.publish({ sales: [n] }),
  (feed, n) => feed.publish({ sales: [n], stock: [n] }),
  (feed) => feed.goAway(),
  (feed) => feed.goAway(503),
  (feed) => feed.comeBack(),
  (feed) => feed.damage('sales'),
  (feed) => feed.repair(),
  (feed) => feed.read('stock').catch(() => {}),
  (feed) => feed.read('sales').catch(() => {}),
  (feed) => feed.snapshot(['sales', 'stock']).catch(() => {}),
];

test('two components and a query agree at every moment, and call nothing fresh that is not', async (t) => {
  const property = async (steps) => {
    const feed = await testFeed({ sales: [0], stock: [0] });
    const current = { sales: 0, stock: 0 };
    let isAway = false;
    const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
    const observer = new QueryObserver(client, { ...queryOptions(feed, 'sales'), retry: false });
    const end = observer.subscribe(() => {});
    const one = await mounted(t, () => hooks.useDataset(feed, 'sales'));
    const both = await mounted(t, () => hooks.useSnapshot(feed, ['sales', 'stock']));
    await until(one.results, ({ isFresh }) => isFresh);
    await until(both.results, ({ isFresh }) => isFresh);
    try {
      for (const [n, index] of steps.entries()) {
        await react.act(() => STEPS[index](feed, n + 1));
        await settle();
        if (index < 2) current.sales = n + 1;
        if (index === 1) current.stock = n + 1;
        if (index >= 2 && index <= 4) isAway = index !== 4;
        const { reading } = one.results.at(-1);
        const { readings } = both.results.at(-1);
        const all = [reading, readings.sales, observer.getCurrentResult().data].filter(Boolean);
        const said = `${JSON.stringify(all.map(({ data, fresh, reason }) => [data, fresh, reason]))} after ${steps.slice(0, n + 1)}`;
        for (const { data, fresh, reason } of all) {
          assert.equal(fresh, reason === null, said);
          assert.ok(!fresh || (!isAway && data[0] === current.sales), `fresh: ${said}`);
        }
        // Those that show the same value say the same of it; only who has not tried to read the next one does not know what is wrong with that.
        for (const other of all) {
          const same = all.filter(({ sha256 }) => sha256 === other.sha256);
          assert.equal(new Set(same.map(({ fresh }) => fresh)).size, 1, said);
          assert.ok(new Set(same.map(({ reason }) => reason).filter((reason) => reason !== 'checking')).size <= 1, said);
        }
        assert.ok(readings.sales.generation === readings.stock.generation, 'a snapshot is of one generation');
      }
    } finally {
      end();
      await one.unmount();
      await both.unmount();
      client.clear();
      feed.close();
    }
  };
  const steps = fc.array(fc.integer({ min: 0, max: STEPS.length - 1 }), { minLength: 1, maxLength: 8 });
  await fc.assert(fc.asyncProperty(steps, property), { numRuns: Number(process.env.LASTGOOD_TEST_RUNS ?? 40) });
});
