import { cache } from './cache';
import { assert, type Comparison } from './contestant';
import { many } from './many';
import { read } from './read';
import { refresh } from './refresh';
import { validators } from './validate';

const comparisons: Record<string, () => Comparison> = {
  read1m: () => read('1m'),
  thread1m: () => read('1m'),
  read10m: () => read('10m'),
  line1m: () => read('1m'),
  refresh,
  cache,
  validate: validators,
  many,
};
let comparison: Comparison = {};
/** What every contestant has to come to. */
let rows: number | undefined;

/** Prepares all contestants of a comparison. One page is used for one comparison. */
async function setup(name: string): Promise<void> {
  const make = comparisons[name];
  assert(make !== undefined, `a comparison, found ${name}`);
  comparison = make();
  for (const contestant of Object.values(comparison)) await contestant.setup?.();
}

/** How long a run of a contestant takes on average of so many, in milliseconds. */
async function sample(name: string, runs: number): Promise<number> {
  const contestant = comparison[name];
  assert(contestant !== undefined, `a contestant, found ${name}`);
  let ms = 0;
  for (let run = 0; run < runs; run++) {
    await contestant.before?.();
    const begin = performance.now();
    const found = await contestant.run();
    ms += performance.now() - begin;
    rows ??= found;
    assert(found > 0 && found === rows, `${rows} rows, found ${found}`);
  }
  return ms / runs;
}

Object.assign(globalThis, { bench: { setup, sample } });
document.body.dataset['ready'] = 'true';
