// The entries for React and TanStack Query, with a feed that watches a real server.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { QueryClient } from '@tanstack/query-core';
import { Window } from 'happy-dom';

import { FeedServer } from './support/feed.mjs';
import { directory, wasm } from './support/package.mjs';

// Installed, as far as Node can tell, beside the React of these tests.
const project = await mkdtemp(join(tmpdir(), 'lastgood-adapters-'));
after(() => rm(project, { recursive: true }));
await mkdir(join(project, 'node_modules'));
await cp(directory, pathToFileURL(join(project, 'node_modules/lastgood')), { recursive: true });
await symlink(fileURLToPath(new URL('../node_modules/react', import.meta.url)), join(project, 'node_modules/react'));
const installed = (entry) => import(pathToFileURL(join(project, 'node_modules/lastgood', entry)).href);
const { open, LastgoodError } = await installed('lastgood.js');

test('a server renders without reading, whatever became of its feed', async () => {
  const { renderToString } = await import('react-dom/server');
  const { createElement } = await import('react');
  const { useDataset } = await installed('react.js');
  // A server that renders the page opens the feed at a relative address, which only pages have.
  const feed = open('/data/');
  const Shown = () => useDataset(feed, 'sales').status;
  assert.equal(renderToString(createElement(Shown)), 'pending');
  await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a query reads, refetches the same object, and does not try again what cannot go better', async () => {
  const { queryOptions } = await installed('tanstack.js');
  const server = await FeedServer.start();
  server.publish({ sales: '[1]' });
  const feed = await open(server.url, { wasm });
  const client = new QueryClient();
  const first = await client.fetchQuery(queryOptions(feed, 'sales'));
  const second = await client.fetchQuery(queryOptions(feed, 'sales'));
  assert.deepEqual(first.data, [1]);
  assert.equal(second.data, first.data);
  server.takeRequests();
  await assert.rejects(client.fetchQuery({ ...queryOptions(feed, 'other') }), (error) => {
    assert.ok(error instanceof LastgoodError);
    return error.code === 'not-found';
  });
  assert.equal(server.takeRequests().filter((path) => path === 'manifest.json').length, 1);
  client.clear();
});

test('a component shows what is published, and what is published next', async (t) => {
  const window = new Window();
  t.after(() => window.happyDOM.close());
  const { document, navigator } = window;
  for (const [name, value] of Object.entries({ window, document, navigator, IS_REACT_ACT_ENVIRONMENT: true })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const { act, createElement } = await import('react');
  const { createRoot } = await import('react-dom/client');
  const { useDataset, useSnapshot } = await installed('react.js');

  const server = await FeedServer.start();
  server.publish({ sales: '[1]', stock: '[1]' });
  const feed = open(server.url, { wasm, minIntervalMs: 1 });
  const shown = [];
  let refresh;
  function Shown() {
    const one = useDataset(feed, 'sales');
    const both = useSnapshot(feed, ['sales', 'stock']);
    refresh = one.refresh;
    shown.push([one.status, one.data, both.data, one.isFresh && both.isFresh]);
    return null;
  }
  const root = createRoot(document.createElement('main'));
  const until = async (condition) => {
    while (!condition(shown.at(-1))) await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
    return shown.at(-1);
  };
  await act(async () => root.render(createElement(Shown)));
  assert.deepEqual(shown[0], ['pending', undefined, undefined, false]);
  const [, first, both] = await until(([, one, two]) => one && two);
  assert.deepEqual([first, both], [[1], { sales: [1], stock: [1] }]);
  assert.equal(both.sales, first);

  server.publish({ sales: '[1]', stock: '[2]' }, { generation: 2 });
  await act(() => refresh());
  const [, same, changed] = await until(([, , two]) => two.stock[0] === 2);
  assert.equal(same, first);
  assert.equal(changed.sales, first);

  server.stop();
  await act(() => refresh());
  assert.deepEqual(await until(([, , , isFresh]) => !isFresh), ['success', [1], { sales: [1], stock: [2] }, false]);
  await act(async () => root.unmount());
  (await feed).close();
});
