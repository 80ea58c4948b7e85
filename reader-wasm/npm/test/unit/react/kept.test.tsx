// @vitest-environment happy-dom

import { act, Suspense } from 'react';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { useDataset, useSnapshot, type DatasetResult, type HookOptions, type SnapshotResult } from '../../../src/react.js';
import type { Feed } from '../../../src/types.js';
import { reading, ScriptedFeed } from './scripted-feed.js';
import { page, pass, show, stage } from './stage.js';

const LINGER_MS = 5000;
const GC_MS = 300_000;

stage();
let scripted: ScriptedFeed;
let results: DatasetResult<unknown>[];
beforeEach(() => {
  scripted = new ScriptedFeed();
  results = [];
});

interface ShownProps {
  feed?: Feed | PromiseLike<Feed>;
  name?: string;
  options?: HookOptions;
}

function Shown({ feed = scripted.feed, name = 'sales', options }: ShownProps) {
  const result = useDataset(feed, name, { ...options });
  results.push(result);
  return <p>{result.status === 'success' ? JSON.stringify(result.data) : result.status}</p>;
}

/** What the first render of a component has that is mounted now. */
async function firstRender(props: ShownProps = {}): Promise<DatasetResult<unknown>> {
  results = [];
  await show(<Shown key={Math.random()} {...props} />);
  return results[0]!;
}

/** Shows a dataset, has it told, and leaves. */
async function visit(options: HookOptions = {}): Promise<void> {
  await show(<Shown options={options} />);
  await act(async () => scripted.tell('sales', [1], { checkedAt: new Date().toISOString() }));
  await show(null);
}

describe('between mounts', () => {
  test('the data stays for five minutes, and is judged as of then', async () => {
    await visit();
    await pass(GC_MS - 1);
    expect(scripted.running).toHaveLength(0);
    scripted.outage = 'checking';
    const first = await firstRender();
    expect(first).toMatchObject({ status: 'success', data: [1], isFresh: false, isFetching: true });
    expect(first.reading).toMatchObject({ reason: 'checking' });
    scripted.outage = null;
    await act(async () => scripted.tell('sales', [2]));
    expect(page.textContent).toBe('[2]');
    expect(results.at(-1)).toMatchObject({ isFresh: true, isFetching: false });
  });

  test('the data of several that belong together stays, and is judged', async () => {
    const sums: SnapshotResult<Record<string, unknown>>[] = [];
    function Sum() {
      sums.push(useSnapshot(scripted.feed, ['sales', 'stock']));
      return null;
    }
    await show(<Sum key="1" />);
    await act(async () => scripted.tellAll({ sales: reading('sales', 1), stock: reading('stock', 2) }));
    await show(null);
    await pass(LINGER_MS);
    scripted.outage = 'checking';
    sums.length = 0;
    await show(<Sum key="2" />);
    expect(sums[0]).toMatchObject({ status: 'success', data: { sales: 1, stock: 2 }, isFresh: false });
  });

  test('after that, the component begins with nothing', async () => {
    await visit();
    await pass(GC_MS);
    expect(await firstRender()).toMatchObject({ status: 'pending', data: undefined });
  });

  test('gcTime says for how long, and the longest counts', async () => {
    await visit({ gcTime: 60_000 });
    await pass(60_000 - 1);
    expect(await firstRender({ options: { gcTime: 10_000 } })).toMatchObject({ data: [1] });
    await show(null);
    await pass(60_000 - 1);
    expect(await firstRender()).toMatchObject({ data: [1] });
    expect(scripted.begun[0]!.options).not.toHaveProperty('gcTime');
  });

  test('without a gcTime, nothing is kept; with an endless one, no timer is', async () => {
    await visit({ gcTime: 0 });
    await pass(LINGER_MS);
    expect(await firstRender()).toMatchObject({ status: 'pending' });
    await show(null);
    await pass(LINGER_MS);
    expect(vi.getTimerCount()).toBe(0);
    await visit({ gcTime: Infinity });
    await pass(GC_MS * 10);
    expect(await firstRender()).toMatchObject({ data: [1] });
  });

  test('what becomes older than maxAge meanwhile is not shown', async () => {
    await visit({ maxAge: 20_000 });
    await pass(20_001);
    expect(await firstRender({ options: { maxAge: 20_000 } })).toMatchObject({ status: 'pending' });
  });

  test('an error is not kept', async () => {
    await show(<Shown />);
    await act(async () => scripted.fail('sales', 'http'));
    await show(null);
    await pass(LINGER_MS);
    expect(await firstRender()).toMatchObject({ status: 'pending', error: null });
  });
});

describe('what was read ahead', () => {
  test('is there in the first render, also with suspense', async () => {
    scripted.known.set('sales', reading('sales', [7]));
    expect(await firstRender()).toMatchObject({ status: 'success', data: [7], isFresh: true });
    scripted = new ScriptedFeed();
    scripted.known.set('sales', reading('sales', [8]));
    await show(
      <Suspense fallback="waiting">
        <Shown key="other" options={{ suspense: true }} />
      </Suspense>,
    );
    expect(results.at(-1)).toMatchObject({ data: [8] });
  });

  test('is there for the promise of a feed that has been opened', async () => {
    scripted.known.set('sales', reading('sales', [7]));
    const promise = Object.assign(Promise.resolve(scripted.feed), { status: 'fulfilled', value: scripted.feed });
    expect(await firstRender({ feed: promise })).toMatchObject({ status: 'success', data: [7] });
  });

  test('is not shown when it is too old, or was dropped before', async () => {
    const checkedAt = new Date(Date.now() - 10_001).toISOString();
    scripted.known.set('sales', reading('sales', [7], { checkedAt }));
    expect(await firstRender({ options: { maxAge: 10_000 } })).toMatchObject({ status: 'pending' });
    await show(null);
    await visit();
    await pass(GC_MS);
    expect(await firstRender()).toMatchObject({ status: 'pending' });
  });
});

describe('what was purged', () => {
  test('is not shown any more, whether it was fresh or not', async () => {
    await show(<Shown />);
    await act(async () => scripted.tell('sales', [1]));
    await act(async () => scripted.fail('sales', 'not-found', true));
    expect(results.at(-1)).toMatchObject({ status: 'error', data: undefined, error: { code: 'not-found' } });
    await act(async () => scripted.tell('sales', [2]));
    await act(async () => scripted.fail('sales', 'offline'));
    expect(results.at(-1)).toMatchObject({ data: [2], error: { code: 'offline' } });
    await act(async () => scripted.fail('sales', 'not-found', true));
    expect(results.at(-1)).toMatchObject({ status: 'error', data: undefined });
  });

  test('is told apart from what was withdrawn, whose last value stands', async () => {
    await show(<Shown />);
    await act(async () => scripted.tell('sales', [1]));
    await act(async () => scripted.fail('sales', 'not-found'));
    await act(async () => scripted.fail('sales', 'not-found'));
    expect(results.at(-1)).toMatchObject({ data: [1], isFresh: false, error: { code: 'not-found' } });
  });
});

describe('isFetching', () => {
  test('follows the looks, and is told once', async () => {
    expect(await firstRender()).toMatchObject({ isFetching: true });
    await act(async () => scripted.check('sales', true));
    await act(async () => scripted.tell('sales', [1], { fresh: false, reason: 'checking' }));
    expect(results.at(-1)).toMatchObject({ data: [1], isFetching: true });
    await act(async () => scripted.tell('sales', [1]));
    expect(results.at(-1)).toMatchObject({ isFetching: true });
    await act(async () => scripted.check('sales', false));
    expect(results.at(-1)).toMatchObject({ data: [1], isFetching: false });
    const renders = results.length;
    await act(async () => scripted.check('sales', false));
    expect(results).toHaveLength(renders);
    await act(async () => scripted.check('sales', true));
    expect(results.at(-1)).toMatchObject({ data: [1], isFetching: true, isFresh: true });
  });

  test('ends with the first reading of a feed that does not tell its looks', async () => {
    await show(<Shown />);
    await act(async () => scripted.fail('sales', 'http'));
    expect(results.at(-1)).toMatchObject({ status: 'error', isFetching: false });
  });

  test('is false when nothing is to be read', async () => {
    const idle: unknown[] = [];
    function Idle() {
      idle.push(useDataset(null, 'sales').isFetching);
      return null;
    }
    await show(<Idle />);
    expect(idle).toEqual([false]);
  });
});

describe('keepPreviousData', () => {
  const options = { keepPreviousData: true };

  test('shows the data of the name before, marked, until there is some of the new one', async () => {
    await show(<Shown name="sales" options={options} />);
    await act(async () => scripted.tell('sales', 'of sales'));
    await show(<Shown name="stock" options={options} />);
    const between = { data: 'of sales', isPreviousData: true, isFresh: false, isFetching: true, reading: { dataset: 'sales' } };
    expect(results.at(-1)).toMatchObject({ status: 'success', ...between });
    const same = results.at(-1);
    await show(<Shown name="stock" options={options} />);
    expect(results.at(-1)).toBe(same);
    await act(async () => scripted.tell('stock', 'of stock'));
    expect(results.at(-1)).toMatchObject({ data: 'of stock', isPreviousData: false, isFresh: true });
  });

  test('does not hide that the new one cannot be read', async () => {
    await show(<Shown name="sales" options={options} />);
    await act(async () => scripted.tell('sales', 1));
    await show(<Shown name="stock" options={options} />);
    await act(async () => scripted.fail('stock', 'not-found'));
    expect(results.at(-1)).toMatchObject({ status: 'error', error: { code: 'not-found' }, isPreviousData: false });
  });

  test('does not suspend', async () => {
    const suspending = (name: string) => (
      <Suspense fallback="waiting">
        <Shown name={name} options={{ ...options, suspense: true }} />
      </Suspense>
    );
    await show(suspending('sales'));
    expect(page.textContent).toBe('waiting');
    await act(async () => scripted.tell('sales', 1));
    await show(suspending('stock'));
    expect(page.textContent).toBe('1');
    await act(async () => scripted.tell('stock', 2));
    expect(page.textContent).toBe('2');
  });
});
