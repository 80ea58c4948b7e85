// @vitest-environment happy-dom

import { act, Component, StrictMode, Suspense, type ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  useDataset,
  useSnapshot,
  type DatasetResult,
  type SnapshotResult,
  type UseDatasetOptions,
} from '../../../src/react.js';
import type { FallbackReading, Feed, Reading } from '../../../src/types.js';
import { reading, ScriptedFeed } from './scripted-feed.js';
import { page, restage, show, stage } from './stage.js';

const LINGER_MS = 5000;
const GC_MS = 300_000;

stage();
let scripted: ScriptedFeed;
beforeEach(() => {
  scripted = new ScriptedFeed();
});

/** The results of every render, the last one at the end. */
let results: DatasetResult<unknown, Reading | FallbackReading>[];
beforeEach(() => {
  results = [];
});

interface ShownProps {
  feed: Feed | PromiseLike<Feed> | null;
  name?: string | null;
  options?: UseDatasetOptions;
}

function Shown({ feed, name = 'sales', options }: ShownProps) {
  const result = useDataset(feed, name, { ...options });
  results.push(result);
  return <p>{result.status === 'success' ? JSON.stringify(result.data) : result.status}</p>;
}

describe('a component', () => {
  test('is pending, then has the data, then newer data', async () => {
    await show(<Shown feed={scripted.feed} />);
    expect(page.textContent).toBe('pending');
    expect(results.at(-1)).toMatchObject({ data: undefined, reading: null, error: null, isFresh: false });
    await act(async () => scripted.tell('sales', [1], { generation: 7 }));
    expect(page.textContent).toBe('[1]');
    expect(results.at(-1)).toMatchObject({ reading: { generation: 7 }, isFresh: true, error: null });
    await act(async () => scripted.tell('sales', [1, 2], { fresh: false, reason: 'offline' }));
    expect(page.textContent).toBe('[1,2]');
    expect(results.at(-1)).toMatchObject({ reading: { reason: 'offline' }, isFresh: false, error: null });
  });

  test('takes the promise of a feed', async () => {
    const promise = Promise.resolve(scripted.feed);
    await show([<Shown key="1" feed={promise} />, <Shown key="2" feed={promise} />]);
    expect(scripted.begun).toHaveLength(1);
    await act(async () => scripted.tell('sales', 1));
    expect(page.textContent).toBe('11');
  });

  test('is told when the feed could not be opened, with whatever it was rejected', async () => {
    await show(<Shown feed={Promise.reject(new TypeError('no such chunk'))} />);
    expect(results.at(-1)).toMatchObject({ status: 'error', error: { code: 'wasm', cause: expect.any(TypeError) } });
  });

  test('is told what the feed refuses', async () => {
    await show(<Shown feed={scripted.feed} name="Not A Name" />);
    expect(results.at(-1)).toMatchObject({ status: 'error', error: { code: 'invalid-name' } });
  });

  test('reads nothing without a feed or a name', async () => {
    await show([<Shown key="1" feed={null} />, <Shown key="2" feed={scripted.feed} name={null} />]);
    expect(page.textContent).toBe('pendingpending');
    expect(scripted.begun).toHaveLength(0);
    await results[0]!.refresh();
    await show(<Shown key="2" feed={scripted.feed} name="sales" />);
    expect(scripted.begun).toHaveLength(1);
  });

  test('has an error only when there is nothing to show, and recovers', async () => {
    await show(<Shown feed={scripted.feed} />);
    await act(async () => scripted.fail('sales', 'http'));
    expect(results.at(-1)).toMatchObject({ status: 'error', data: undefined, error: { code: 'http' } });
    await act(async () => scripted.tell('sales', 1));
    expect(results.at(-1)).toMatchObject({ status: 'success', data: 1, error: null });
    await act(async () => scripted.fail('sales', 'http'));
    expect(results.at(-1)).toMatchObject({ status: 'success', data: 1, error: { code: 'http' } });
    await act(async () => scripted.fail('sales', 'too-old'));
    expect(results.at(-1)).toMatchObject({ status: 'error', data: undefined, error: { code: 'too-old' } });
  });

  test('follows its name, and never shows the data of another', async () => {
    await show(<Shown feed={scripted.feed} name="sales" />);
    await act(async () => scripted.tell('sales', 'of sales'));
    await show(<Shown feed={scripted.feed} name="stock" />);
    expect(page.textContent).toBe('pending');
    await act(async () => scripted.tell('sales', 'late'));
    expect(page.textContent).toBe('pending');
    await act(async () => scripted.tell('stock', 'of stock'));
    expect(page.textContent).toBe('"of stock"');
  });

  test('can ask for a look now, which never rejects', async () => {
    await show(<Shown feed={scripted.feed} />);
    await results[0]!.refresh();
    expect(scripted.refreshed).toBe(1);
    scripted.refresh = () => Promise.reject(new Error('closed'));
    await results[0]!.refresh();
  });
});

describe('the result', () => {
  test('is the same object until something in it changes', async () => {
    const options: UseDatasetOptions = { maxAge: 5 };
    await show(<Shown feed={scripted.feed} options={options} />);
    await act(async () => scripted.tell('sales', [1]));
    const before = results.at(-1);
    const renders = results.length;
    await show(<Shown feed={scripted.feed} options={{ ...options }} />);
    expect(results.length).toBeGreaterThan(renders);
    expect(results.at(-1)).toBe(before);
    await act(async () => scripted.tell('sales', [1]));
    expect(results.at(-1)).not.toBe(before);
    expect(results.at(-1)!.refresh).toBe(before!.refresh);
  });

  test('of a fallback written as a literal is too', async () => {
    await show(<Shown feed={scripted.feed} options={{ fallback: [] }} />);
    const before = results.at(-1);
    expect(before).toMatchObject({ status: 'success', data: [], reading: { source: 'initial', reason: 'pending' } });
    await show(<Shown feed={scripted.feed} options={{ fallback: [] }} />);
    expect(results.at(-1)).toBe(before);
  });

  test('with a fallback always has something to show', async () => {
    await show(<Shown feed={scripted.feed} options={{ fallback: 0 }} />);
    await act(async () => scripted.fail('sales', 'offline'));
    const failed = { status: 'success', data: 0, isFresh: false, error: { code: 'offline' } };
    expect(results.at(-1)).toMatchObject({ ...failed, reading: { source: 'initial', reason: 'offline' } });
    await act(async () => scripted.tell('sales', 7));
    expect(results.at(-1)).toMatchObject({ data: 7, isFresh: true, error: null });
    await act(async () => scripted.fail('sales', 'too-old'));
    expect(results.at(-1)).toMatchObject({ data: 0, reading: { reason: 'too-old' }, error: { code: 'too-old' } });
  });
});

test('a reading that a server has made is shown with its age and generation, and brought to the feed', async () => {
  const made = reading('sales', [1], { ageMs: 5000, generation: 7 });
  await show(<Shown feed={scripted.feed} options={{ fallback: made }} />);
  const brought = { source: 'initial', reason: 'pending', fresh: false, ageMs: 5000, generation: 7, cachedIn: null };
  expect(results.at(-1)).toMatchObject({ status: 'success', data: [1], isFresh: false, reading: brought });
  expect(scripted.begun[0]!.options['fallback']).toBe(made);
  // As a feed hands it out.
  await act(async () => scripted.tell('sales', [1], { source: 'initial' as never, reason: 'offline' }));
  expect(results.at(-1)).toMatchObject({ reading: brought });
  // The reading of another dataset is a value like any other.
  await show(<Shown feed={scripted.feed} name="stock" options={{ fallback: made }} />);
  expect(results.at(-1)).toMatchObject({ data: made, reading: { generation: null } });
});

describe('the watch', () => {
  test('is one for all components that ask for the same, and ends some time after the last', async () => {
    const some = (count: number) => Array.from({ length: count }, (_, key) => <Shown key={key} feed={scripted.feed} />);
    await show(some(50));
    expect(scripted.begun).toHaveLength(1);
    await act(async () => scripted.tell('sales', 1));
    expect(page.textContent).toBe('1'.repeat(50));
    await show(some(1));
    await act(async () => vi.advanceTimersByTime(10 * LINGER_MS));
    expect(scripted.running).toHaveLength(1);
    await show(some(0));
    await act(async () => vi.advanceTimersByTime(LINGER_MS - 1));
    expect(scripted.running).toHaveLength(1);
    await act(async () => vi.advanceTimersByTime(1));
    expect(scripted.running).toHaveLength(0);
    await act(async () => vi.advanceTimersByTime(GC_MS));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is another one for another feed, another dataset, and other options, which it gets', async () => {
    const other = new ScriptedFeed();
    await show([
      <Shown key="1" feed={scripted.feed} />,
      <Shown key="2" feed={scripted.feed} name="stock" />,
      <Shown key="3" feed={scripted.feed} options={{ maxAge: 5, fallback: 0 }} />,
      <Shown key="4" feed={scripted.feed} options={{ maxAge: 5, fallback: 1 }} />,
      <Shown key="5" feed={other.feed} />,
    ]);
    expect(scripted.begun.map(({ name, options }) => [name, options['maxAge']])).toEqual([
      ['sales', undefined],
      ['stock', undefined],
      ['sales', 5],
    ]);
    expect(Object.keys(scripted.begun[0]!.options)).toEqual(['fallback', 'signal', 'onError', 'onChecking']);
    expect(scripted.begun[0]!.options['fallback']).toBeUndefined();
    expect(other.begun).toHaveLength(1);
  });

  test('survives strict mode and options written as a literal', async () => {
    await show(
      <StrictMode>
        <Shown feed={scripted.feed} options={{ intervalMs: 1000 }} />
      </StrictMode>,
    );
    await act(async () => scripted.tell('sales', 1));
    await show(
      <StrictMode>
        <Shown feed={scripted.feed} options={{ intervalMs: 1000 }} />
      </StrictMode>,
    );
    await act(async () => vi.advanceTimersByTime(10 * LINGER_MS));
    expect(scripted.begun).toHaveLength(1);
    expect(scripted.running).toHaveLength(1);
  });

  test('goes on for a component that comes back soon, which has its data at once', async () => {
    await show(<Shown key="1" feed={scripted.feed} />);
    await act(async () => scripted.tell('sales', 1));
    await show(null);
    await act(async () => vi.advanceTimersByTime(LINGER_MS - 1));
    results = [];
    await show(<Shown key="2" feed={scripted.feed} />);
    expect(results[0]).toMatchObject({ status: 'success', data: 1 });
    await act(async () => vi.advanceTimersByTime(10 * LINGER_MS));
    expect(scripted.begun).toHaveLength(1);
    expect(scripted.running).toHaveLength(1);
  });

  test('begins anew for one that comes back later', async () => {
    await show(<Shown key="1" feed={scripted.feed} />);
    await act(async () => scripted.tell('sales', 1));
    await show(null);
    await act(async () => vi.advanceTimersByTime(GC_MS));
    await show(<Shown key="2" feed={scripted.feed} />);
    expect(page.textContent).toBe('pending');
    expect(scripted.running).toHaveLength(1);
    // What the first watch still had to say is of no interest any more.
    scripted.begun[0]!.callback(scripted.begun[0] as never);
    expect(page.textContent).toBe('pending');
  });

  test('of a feed that is opened too late does not begin', async () => {
    let opened!: (feed: Feed) => void;
    const promise = new Promise<Feed>((resolve) => {
      opened = resolve;
    });
    await show(<Shown feed={promise} />);
    await show(null);
    await act(async () => vi.advanceTimersByTime(LINGER_MS));
    await act(async () => opened(scripted.feed));
    expect(scripted.begun).toHaveLength(0);
  });
});

class Boundary extends Component<{ children: ReactNode }> {
  override state = { error: null as Error | null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    return this.state.error ? `caught ${this.state.error.message}` : this.props.children;
  }
}

describe('suspense', () => {
  const suspending = (options: UseDatasetOptions = {}, key = 1) => (
    <Boundary key={key}>
      <Suspense fallback="waiting">
        <Shown feed={scripted.feed} options={{ suspense: true, ...options }} />
      </Suspense>
    </Boundary>
  );

  test('waits for the first reading, without another watch', async () => {
    await show(<StrictMode>{suspending()}</StrictMode>);
    expect(page.textContent).toBe('waiting');
    await act(async () => scripted.tell('sales', 1));
    expect(page.textContent).toBe('1');
    await act(async () => vi.advanceTimersByTime(10 * LINGER_MS));
    await act(async () => scripted.tell('sales', 2));
    expect(page.textContent).toBe('2');
    await act(async () => scripted.fail('sales', 'http'));
    expect(page.textContent).toBe('2');
    expect(scripted.begun).toHaveLength(1);
  });

  test('throws to the boundary when there is nothing to show; later, another try is made', async () => {
    await restage({ onCaughtError: () => {} });
    await show(suspending());
    await act(async () => scripted.fail('sales', 'http'));
    expect(page.textContent).toBe('caught it is http');
    expect(scripted.begun).toHaveLength(1);
    await act(async () => vi.advanceTimersByTime(LINGER_MS));
    expect(scripted.running).toHaveLength(0);
    await show(suspending({}, 2));
    expect(page.textContent).toBe('waiting');
    await act(async () => scripted.tell('sales', 1));
    expect(page.textContent).toBe('1');
  });

  test('does not wait when there is a fallback', async () => {
    await show(suspending({ fallback: 0 }));
    expect(page.textContent).toBe('0');
    await act(async () => scripted.fail('sales', 'http'));
    expect(page.textContent).toBe('0');
  });

  test('of a component that is gone before it was ever mounted ends its watch', async () => {
    await show(suspending());
    await show(null);
    await act(async () => scripted.tell('sales', 1));
    // Each further reading must not prolong it.
    await act(async () => vi.advanceTimersByTime(LINGER_MS - 1));
    await act(async () => scripted.tell('sales', 2));
    await act(async () => vi.advanceTimersByTime(1));
    expect(scripted.running).toHaveLength(0);
  });
});

describe('a snapshot', () => {
  let snapshots: SnapshotResult<Record<string, unknown>>[];
  beforeEach(() => {
    snapshots = [];
  });

  function Sum({ feed, suspense = false }: { feed: Feed | null; suspense?: boolean }) {
    const result = useSnapshot(feed, ['sales', 'stock'], { suspense });
    snapshots.push(result);
    return <p>{result.status === 'success' ? JSON.stringify(result.data) : result.status}</p>;
  }

  test('has all or nothing, of one watch, and is the same object until it changes', async () => {
    await show([<Sum key="1" feed={scripted.feed} />, <Sum key="2" feed={scripted.feed} />]);
    expect(snapshots.at(-1)).toMatchObject({ status: 'pending', data: undefined, readings: null, isFresh: false });
    const [sales, stock] = [reading('sales', [1]), reading('stock', [2])];
    await act(async () => scripted.tellAll({ sales, stock }));
    const before = snapshots.at(-1)!;
    expect(before).toMatchObject({ status: 'success', isFresh: true, error: null });
    expect(before.data).toEqual({ sales: [1], stock: [2] });
    expect(before.data!['sales']).toBe(sales.data);
    expect(before.readings).toEqual({ sales, stock });
    await show([<Sum key="1" feed={scripted.feed} />, <Sum key="2" feed={scripted.feed} />]);
    expect(snapshots.at(-1)).toBe(before);
    await act(async () => scripted.tellAll({ sales, stock: { ...stock, fresh: false, reason: 'offline' } }));
    expect(snapshots.at(-1)).toMatchObject({ status: 'success', isFresh: false });
    await act(async () => scripted.fail('sales,stock', 'too-old'));
    expect(snapshots.at(-1)).toMatchObject({ status: 'error', readings: null, error: { code: 'too-old' } });
    expect(scripted.begun).toHaveLength(1);
  });

  test('suspends, and reads nothing without a feed', async () => {
    await show(<Sum feed={null} />);
    expect(page.textContent).toBe('pending');
    await show(
      <Suspense fallback="waiting">
        <Sum feed={scripted.feed} suspense />
      </Suspense>,
    );
    expect(page.textContent).toBe('waiting');
    await act(async () => scripted.tellAll({ sales: reading('sales', 1), stock: reading('stock', 2) }));
    expect(page.textContent).toBe('{"sales":1,"stock":2}');
  });
});

test('hydration agrees with what the server has rendered, whatever the page knows already', async () => {
  await show(<Shown feed={scripted.feed} />);
  await act(async () => scripted.tell('sales', 'known'));
  const rendered = document.body.appendChild(document.createElement('section'));
  rendered.innerHTML = '<p>pending</p>';
  results = [];
  const hydrated = await act(async () =>
    hydrateRoot(rendered, <Shown feed={scripted.feed} />, {
      onRecoverableError: (error) => expect.fail(`hydration: ${error}`),
    }),
  );
  expect(results[0]!.status).toBe('pending');
  expect(rendered.textContent).toBe('"known"');
  expect(scripted.begun).toHaveLength(1);
  await act(async () => hydrated.unmount());
  rendered.remove();
});
