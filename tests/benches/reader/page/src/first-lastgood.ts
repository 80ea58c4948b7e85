import { open } from 'lastgood';

/** When the page had its first value, in milliseconds since the navigation. */
async function first(): Promise<number> {
  const feed = await open('data/');
  const { data } = await feed.read<unknown[]>('year');
  if (data.length === 0) throw new Error('expected rows');
  return performance.now();
}

Object.assign(globalThis, { first: first() });
document.body.dataset['ready'] = 'true';
