import { census } from './census';

import { open, type Feed } from 'lastgood';

import { assert, type Rows } from './contestant';

let feed: Feed;
let shown: Rows = [];

/** Opens the feed, and shows a dataset of it. */
async function begin(): Promise<void> {
  // Looks when it is told to, as often as it is told to.
  feed = await open('data/', { minIntervalMs: 1, intervalMs: 3_600_000 });
  await new Promise<void>((resolve) => {
    feed.watch<Rows>('changing', ({ data }) => {
      shown = data;
      resolve();
    });
  });
}

/** Looks so often at what has not changed. */
async function refresh(times: number): Promise<void> {
  for (let time = 0; time < times; time++) await feed.refresh();
}

/** Looks at what has changed. */
async function change(rows: number): Promise<void> {
  const before = shown;
  const { data } = await feed.read<Rows>('changing');
  await feed.refresh();
  assert(shown !== before && data.length === rows && shown.length === rows, `${rows} new rows`);
}

/** Ends everything. What ends later than that has until the next turn of the event loop. */
async function end(): Promise<void> {
  feed.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
}

Object.assign(globalThis, { endurance: { begin, refresh, change, end, census } });
document.body.dataset['ready'] = 'true';
