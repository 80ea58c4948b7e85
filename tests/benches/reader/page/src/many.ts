import { open, type Feed } from 'lastgood';

import { coldFetch, type Comparison, type Contestant, type Rows } from './contestant';

const names = Array.from({ length: 200 }, (_, index) => `part_${index}`);
const count = (values: readonly Rows[]) => values.reduce((sum, rows) => sum + rows.length, 0);

/** A page that shows 200 datasets. */
export function many(): Comparison {
  return {
    fetches: {
      run: async () => count(await Promise.all(names.map(async (name) => (await coldFetch(`data/${name}.json`)).json()))),
    },
    reads: lastgood(async (feed) => {
      const readings = await Promise.all(names.map((name) => feed.read<Rows>(name)));
      return count(readings.map((reading) => reading.data));
    }),
    snapshot: lastgood(async (feed) => {
      const readings = await feed.snapshot<Record<string, Rows>>(names);
      return count(Object.values(readings).map((reading) => reading.data));
    }),
  };
}

function lastgood(read: (feed: Feed) => Promise<number>): Contestant {
  let feed: Feed;
  return {
    async before() {
      localStorage.clear();
      feed = await open('data/', { fetch: coldFetch });
    },
    run: () => read(feed),
  };
}
