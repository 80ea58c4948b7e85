import { open, type Feed, type OpenOptions } from 'lastgood';
import validate from 'virtual:flights';
import { z } from 'zod';

import { byHand, byHandValidated } from './by-hand';
import { assert, coldFetch, type Comparison, type Contestant, type Rows } from './contestant';

const Flights = z.array(
  z.strictObject({
    date: z.string(),
    delay: z.int(),
    distance: z.int().nonnegative(),
    origin: z.string().regex(/^[A-Z]{3}$/),
    destination: z.string().regex(/^[A-Z]{3}$/),
  }),
);

/** A first read of a payload: nothing in the HTTP cache, nothing in lastgood's. */
export function read(size: string): Comparison {
  const address = `data/plain_${size}.json`;
  return {
    fetch: { run: async () => ((await (await coldFetch(address)).json()) as Rows).length },
    'by hand': byHand(`plain_${size}`),
    'by hand validated': byHandValidated(`typed_${size}`),
    uncached: lastgood(`plain_${size}`, { cache: 'none' }),
    cached: lastgood(`plain_${size}`, {}),
    'validated uncached': lastgood(`typed_${size}`, { cache: 'none' }),
    'validated cached': lastgood(`typed_${size}`, {}),
    ajv: {
      run: () => verified(address, (value) => assert(validate(value), 'valid flights')),
    },
    zod: {
      run: () => verified(address, (value) => Flights.parse(value)),
    },
  };
}

function lastgood(dataset: string, options: OpenOptions): Contestant {
  let feed: Feed;
  return {
    async before() {
      localStorage.clear();
      for (const name of await caches.keys()) await caches.delete(name);
      feed = await open('data/', { ...options, fetch: coldFetch });
    },
    async run() {
      const { data, source, fresh } = await feed.read<Rows>(dataset);
      assert(source === 'network' && fresh, 'a reading from the network');
      return data.length;
    },
  };
}

/** What a page does by hand that wants the same: the digest is known, from a manifest of its own. */
async function verified(address: string, check: (value: unknown) => void): Promise<number> {
  const bytes = await (await coldFetch(address)).arrayBuffer();
  const digest = crypto.subtle.digest('SHA-256', bytes);
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  check(value);
  assert((await digest).byteLength === 32, 'a digest');
  return (value as Rows).length;
}
