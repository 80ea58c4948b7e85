import { open, type Feed } from 'lastgood';

import { assert, type Comparison, type Rows } from './contestant';

const key = 'flights';

/** A copy from an earlier visit, without a network. */
export function cache(): Comparison {
  let feed: Feed;
  return {
    parse: {
      async setup() {
        localStorage.setItem(key, await (await fetch('data/plain_1m.json')).text());
      },
      run: async () => (JSON.parse(localStorage.getItem(key) ?? '[]') as Rows).length,
    },
    lastgood: {
      async setup() {
        await (await open('data/')).read('plain_1m');
      },
      async before() {
        // Fails at once: what is measured is the cache, not how long a browser takes to notice.
        feed = await open('data/', { fetch: () => Promise.reject(new TypeError('offline')) });
      },
      async run() {
        const { data, source, reason } = await feed.read<Rows>('plain_1m');
        assert(source === 'fallback' && reason === 'offline', 'the copy of the earlier visit');
        return data.length;
      },
    },
  };
}
