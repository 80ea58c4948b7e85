import validate from 'virtual:flights';

import { assert, coldFetch, type Contestant, type Rows } from './contestant';

/** What is needed of a manifest. */
interface Manifest {
  readonly signed: {
    readonly datasets: Readonly<Record<string, { readonly sha256: string; readonly schema?: { readonly sha256: string } }>>;
  };
}

/**
 * A page without lastgood that does a first read as lastgood does: lock marker, manifest and payload are asked for at once, the payload's digest is
 * held against the manifest. On a feed, it is the least that such a read can cost.
 */
export function byHand(dataset: string): Contestant {
  return { run: async () => (await read(dataset)).length };
}

/** The same with the published schema: it is asked for when the manifest is there, and ajv, compiled ahead of time, stands for it. */
export function byHandValidated(dataset: string): Contestant {
  return {
    async run() {
      const rows = await read(dataset);
      assert(validate(rows), 'valid flights');
      return rows.length;
    },
  };
}

async function read(dataset: string): Promise<Rows> {
  const lock = coldFetch('data/.lock');
  const payload = coldFetch(`data/${dataset}.json`).then((response) => response.arrayBuffer());
  const manifest = (await (await coldFetch('data/manifest.json')).json()) as Manifest;
  const entry = manifest.signed.datasets[dataset];
  assert(entry !== undefined, `${dataset} in the manifest`);
  const schema = entry.schema && verified(bytesOf(`data/objects/${entry.schema.sha256}.json`), entry.schema.sha256);
  const bytes = await verified(payload, entry.sha256);
  assert((await lock).status !== 200, 'no lock');
  await schema;
  return JSON.parse(new TextDecoder().decode(bytes)) as Rows;
}

async function bytesOf(address: string): Promise<ArrayBuffer> {
  return (await coldFetch(address)).arrayBuffer();
}

async function verified(answer: Promise<ArrayBuffer>, sha256: string): Promise<ArrayBuffer> {
  const bytes = await answer;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  assert(hex === sha256, `the digest ${sha256}`);
  return bytes;
}
