import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { open, type Feed } from 'lastgood';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import useSWR, { mutate } from 'swr';

import { assert, type Comparison, type Rows } from './contestant';

const address = 'data/plain_1m.json';
const fetcher = async () => (await (await fetch(address)).json()) as Rows;

/** Looking whether a dataset that the page shows has changed, when it has not. All revalidate through the HTTP cache. */
export function refresh(): Comparison {
  return { watch: watch(), read: read(), tanstack: tanstack(), swr: swr() };
}

function watch() {
  let feed: Feed;
  let shown: Rows = [];
  return {
    async setup() {
      // Looks when it is told to, as often as it is told to.
      feed = await open('data/', { minIntervalMs: 1, intervalMs: 3_600_000 });
      await new Promise<void>((resolve) => {
        feed.watch<Rows>('plain_1m', ({ data }) => {
          shown = data;
          resolve();
        });
      });
    },
    async run() {
      const before = shown;
      await feed.refresh();
      assert(shown === before, 'the same value again');
      return shown.length;
    },
  };
}

function read() {
  let feed: Feed;
  let shown: Rows = [];
  return {
    async setup() {
      feed = await open('data/');
      shown = (await feed.read<Rows>('plain_1m')).data;
    },
    async run() {
      const { data, fresh } = await feed.read<Rows>('plain_1m');
      assert(fresh && data === shown, 'the same value again');
      return data.length;
    },
  };
}

function tanstack() {
  const client = new QueryClient();
  const observer = new QueryObserver(client, { queryKey: [address], queryFn: fetcher });
  return {
    async setup() {
      client.mount();
      observer.subscribe(() => {});
      await observer.refetch();
    },
    async run() {
      const { data } = await observer.refetch();
      return data?.length ?? 0;
    },
  };
}

function swr() {
  const Page = () => createElement('p', null, `${useSWR<Rows>(address, fetcher).data?.length} flights`);
  return {
    async setup() {
      createRoot(document.body.appendChild(document.createElement('main'))).render(createElement(Page));
      while (!document.body.textContent?.match(/\d flights/)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async run() {
      const data = (await mutate(address)) as Rows | undefined;
      return data?.length ?? 0;
    },
  };
}
