// What a page has in mind of the types. It is never run: compiling it is the test.
import { open, LastgoodError, type Feed, type Reading } from 'lastgood';
import { open as openInline } from 'lastgood/inline';
import { useDataset } from 'lastgood/react';
import { FeedStatus, SPANISH } from 'lastgood/react/status';
import { queryOptions } from 'lastgood/tanstack';
import { testFeed, type TestFeed } from 'lastgood/testing';
import lastgood from 'lastgood/vite';
import { createElement } from 'react';

interface Day {
  day: number;
  value: number;
}

export async function read(): Promise<Reading<Day[]>> {
  const feed: Feed = await open('/data/', { maxBytes: 1000, onEvent: (event) => console.log(event.type) });
  const { performance, transactions } = await feed.snapshot<{ performance: Day[]; transactions: string[] }>([
    'performance',
    'transactions',
  ]);
  transactions.data.map((name) => name.length);
  const days: readonly Day[] = performance.data;
  console.log(days, performance.reason satisfies string | null);
  // @ts-expect-error: there is no such option
  await feed.read('performance', { timeout: 1 });
  return feed.read<Day[]>('performance');
}

export async function readInline(): Promise<number> {
  try {
    const feed = await openInline(new URL('https://example.org/data/'));
    return (await feed.read<Day[]>('performance')).data.length;
  } catch (error) {
    if (error instanceof LastgoodError && error.code === 'too-old') return 0;
    throw error;
  }
}

const shaped = open('/data/', { datasets: { performance: { version: 2, migrate: { 1: (value) => value } } } });

export function useDays(): readonly Day[] {
  const { data } = useDataset<Day[]>(open('/data/'), 'performance', { fallback: [] });
  // @ts-expect-error: what has a fallback is never without data
  data satisfies undefined;
  return data ?? [];
}

export const query = queryOptions(shaped, 'performance');

const declared = open<{ performance: Day[] }>('/data/');

export function Status() {
  const result = useDataset(declared, 'performance');
  // @ts-expect-error: there is no such dataset
  useDataset(declared, 'performence');
  return createElement(FeedStatus, { of: result, texts: SPANISH });
}

export async function driven(): Promise<TestFeed<{ performance: Day[] }>> {
  const feed = await testFeed<{ performance: Day[] }>({ performance: [] });
  await feed.publish({ performance: [{ day: 1, value: 2 }] });
  // @ts-expect-error: there is no such dataset
  await feed.publish({ performence: [] });
  return feed;
}

export const plugins = [lastgood({ dir: 'feed' })];
