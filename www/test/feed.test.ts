import type { Feed } from 'lastgood';
import { expect, test } from 'vitest';

import { LazyFeed } from '../src/feed';
import { reading } from './page';

const opened: Feed = {
  url: 'http://localhost/data/',
  read: async <T>(name: string) => ({ ...reading({ dataset: name }), data: [] as T }),
  snapshot: async () => {
    throw new Error('not used by the page');
  },
  close: () => {},
};

test('readings that begin together open the feed once', async () => {
  let openings = 0;
  const feed = new LazyFeed(async () => {
    openings += 1;
    return opened;
  });
  expect(feed.url).toBeNull();
  const [a, b] = await Promise.all([feed.read('a'), feed.read('b')]);
  expect([a.dataset, b.dataset, openings]).toEqual(['a', 'b', 1]);
  expect(feed.url).toBe(opened.url);
});

test('a failed opening fails its readings, and the next one tries again', async () => {
  let openings = 0;
  const feed = new LazyFeed(async () => {
    openings += 1;
    if (openings === 1) throw new Error('no wasm');
    return opened;
  });
  const both = await Promise.allSettled([feed.read('a'), feed.read('b')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect((await feed.read('a')).dataset).toBe('a');
  expect(openings).toBe(2);
});
