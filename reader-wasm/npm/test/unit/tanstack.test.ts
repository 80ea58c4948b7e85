import { focusManager, hashKey, onlineManager, QueryClient, QueryObserver } from '@tanstack/query-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LastgoodError, type ErrorDetails } from '../../src/errors.js';
import { queryOptions } from '../../src/tanstack.js';
import type { Feed, ReadOptions } from '../../src/types.js';
import { reading, ScriptedFeed } from './react/scripted-feed.js';

let client: QueryClient;
beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient();
  client.mount();
});
afterEach(() => {
  client.clear();
  client.unmount();
  onlineManager.setOnline(true);
  focusManager.setFocused(undefined);
  vi.useRealTimers();
});

/** A feed at an address, whose reads end as `read` says. */
function feedOf(read: (name: string, options: ReadOptions) => unknown, url = 'https://example.org/data/'): Feed {
  const { feed } = new ScriptedFeed();
  return Object.assign(feed, { url, read: async (name: string, options: ReadOptions) => read(name, options) });
}

test('a query has the reading, and select the value', async () => {
  const feed = feedOf((name) => reading(name, [1, 2], { generation: 7 }));
  expect(await client.fetchQuery(queryOptions(feed, 'sales'))).toMatchObject({ data: [1, 2], generation: 7 });
  const observer = new QueryObserver(client, { ...queryOptions(feed, 'sales'), select: ({ data }) => data });
  const end = observer.subscribe(() => {});
  expect(observer.getCurrentResult().data).toEqual([1, 2]);
  end();
});

test('the read gets the options and the signal of the query', async () => {
  const got: ReadOptions[] = [];
  const feed = feedOf((_, options) => {
    got.push(options);
    return new Promise((_, reject) => options.signal!.addEventListener('abort', () => reject(options.signal!.reason)));
  });
  const query = queryOptions(Promise.resolve(feed), 'sales', { lock: 'wait', maxAge: 5 });
  const fetching = client.fetchQuery(query);
  await vi.advanceTimersByTimeAsync(0);
  expect(got).toMatchObject([{ lock: 'wait', maxAge: 5 }]);
  await client.cancelQueries(query);
  expect(got[0]!.signal!.aborted).toBe(true);
  await expect(fetching).rejects.toThrow();
});

describe('the value', () => {
  test('of an unchanged dataset is the same object, so what selects it is not told of a change', async () => {
    const data = { rows: [1] };
    let look = 0;
    const feed = feedOf((name) => reading(name, data, { ageMs: (look += 1) }));
    const observer = new QueryObserver(client, {
      ...queryOptions(feed, 'sales'),
      select: (found) => found.data,
      notifyOnChangeProps: ['data'],
    });
    let told = 0;
    const end = observer.subscribe(() => (told += 1));
    await vi.advanceTimersByTimeAsync(0);
    expect([look, told]).toEqual([1, 1]);
    await observer.refetch();
    expect([look, told]).toEqual([2, 1]);
    expect(observer.getCurrentResult().data).toBe(data);
    expect(client.getQueryData(queryOptions(feed, 'sales').queryKey)).toMatchObject({ ageMs: 2 });
    end();
  });

  test('of a changed dataset is what was read, not a mixture', async () => {
    const values = [{ same: [1], changed: 1 }, { same: [1], changed: 2 }];
    let look = 0;
    const feed = feedOf((name) => reading(name, values[look++]));
    const { queryKey } = queryOptions(feed, 'sales');
    await client.fetchQuery(queryOptions(feed, 'sales'));
    await client.fetchQuery(queryOptions(feed, 'sales'));
    expect(client.getQueryData<{ data: unknown }>(queryKey)?.data).toBe(values[1]);
  });
});

describe('another look of the page', () => {
  const { queryKey } = queryOptions(feedOf(() => null), 'sales');
  let feed: Feed & Pick<ScriptedFeed, 'goAway' | 'listening'>;
  beforeEach(() => {
    feed = feedOf(() => reading('sales', [1])) as typeof feed;
  });

  test('that finds the server away says so in the query, which is as old as before', async () => {
    await client.fetchQuery(queryOptions(feed, 'sales'));
    await client.fetchQuery(queryOptions(feed, 'sales'));
    expect(feed.listening).toBe(1);
    const { dataUpdatedAt } = client.getQueryState(queryKey)!;
    await vi.advanceTimersByTimeAsync(1000);
    feed.goAway('offline');
    expect(client.getQueryState(queryKey)).toMatchObject({ data: { data: [1], reason: 'offline', fresh: false }, dataUpdatedAt });
  });

  test('changes nothing where there is nothing to tell, and is not told to a query that is gone', async () => {
    await client.fetchQuery(queryOptions(feed, 'sales'));
    const before = client.getQueryData(queryKey);
    feed.goAway(null);
    expect(client.getQueryData(queryKey)).toBe(before);
    client.clear();
    feed.goAway('offline');
    expect([feed.listening, client.getQueryData(queryKey)]).toEqual([0, undefined]);
    await client.fetchQuery(queryOptions(feed, 'sales'));
    expect(feed.listening).toBe(1);
  });
});

describe('keys', () => {
  const nothing = () => null;
  const keyOf = (feed: Feed | Promise<Feed>, name: string) => hashKey(queryOptions(feed, name).queryKey);

  test('are equal for equal queries, also of feeds that are opened twice', () => {
    const [one, two] = [feedOf(nothing), feedOf(nothing)];
    expect(keyOf(one, 'sales')).toBe(keyOf(two, 'sales'));
    const promise = Promise.resolve(one);
    expect(keyOf(promise, 'sales')).toBe(keyOf(promise, 'sales'));
  });

  test('differ for other feeds and other datasets', () => {
    const feeds = [feedOf(nothing), feedOf(nothing, 'https://example.org/b/'), Promise.resolve(feedOf(nothing))];
    const all = [...feeds, Promise.resolve(feedOf(nothing))].flatMap((feed) => [keyOf(feed, 'a'), keyOf(feed, 'b')]);
    expect(new Set(all).size).toBe(8);
  });
});

describe('retrying', () => {
  /** How often a read was tried, and at which seconds, until the query gave up. */
  async function tries(failure: unknown): Promise<number[]> {
    const start = Date.now();
    const at: number[] = [];
    const feed = feedOf(() => {
      at.push((Date.now() - start) / 1000);
      throw failure;
    });
    const observer = new QueryObserver(client, queryOptions(feed, 'sales'));
    const end = observer.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(600_000);
    expect(observer.getCurrentResult()).toMatchObject({ status: 'error', error: failure });
    end();
    return at;
  }

  const failure = (details: ErrorDetails) => new LastgoodError('failed', details);

  test.each<ErrorDetails>([
    { code: 'offline' },
    { code: 'timeout' },
    { code: 'checksum-mismatch' },
    { code: 'too-old' },
    { code: 'http', status: 503 },
    { code: 'http', status: 429 },
  ])('%o is tried three times more, with growing pauses', async (details) => {
    expect(await tries(failure(details))).toEqual([0, 1, 3, 7]);
  });

  test.each<ErrorDetails>([
    { code: 'not-found' },
    { code: 'schema-invalid' },
    { code: 'schema-newer' },
    { code: 'invalid-name' },
    { code: 'closed' },
    { code: 'wasm' },
    { code: 'http', status: 403 },
    { code: 'http', status: 404 },
  ])('%o would not go better', async (details) => {
    expect(await tries(failure(details))).toEqual([0]);
  });

  test('a defect would not either', async () => {
    expect(await tries(new TypeError('defect'))).toEqual([0]);
  });

  test('waits until the server wants to be asked again', async () => {
    expect(await tries(failure({ code: 'http', status: 503, retryAfterMs: 2500 }))).toEqual([0, 2.5, 5, 9]);
  });
});

test('without a network the feed is asked all the same: it may have a copy', async () => {
  onlineManager.setOnline(false);
  const feed = feedOf((name) => reading(name, 'cached', { fresh: false, source: 'fallback', reason: 'offline' }));
  const observer = new QueryObserver(client, queryOptions(feed, 'sales'));
  const end = observer.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(0);
  expect(observer.getCurrentResult()).toMatchObject({ status: 'success', data: { data: 'cached' } });
  end();
});
