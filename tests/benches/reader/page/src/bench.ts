import { cache } from './cache';
import { assert, type Comparison } from './contestant';
import { many } from './many';
import { read } from './read';
import { refresh } from './refresh';

/** What a run cost, on average. */
interface Sample {
  readonly ms: number;
  readonly bytes: number;
  readonly requests: number;
}

const comparisons: Record<string, () => Comparison> = {
  read1m: () => read('1m'),
  read10m: () => read('10m'),
  refresh,
  cache,
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
  // 250 are kept otherwise.
  performance.setResourceTimingBufferSize(10_000);
  for (const contestant of Object.values(comparison)) await contestant.setup?.();
}

async function sample(name: string, repeat: number): Promise<Sample> {
  const contestant = comparison[name];
  assert(contestant !== undefined, `a contestant, found ${name}`);
  let ms = 0;
  let [bytes, requests] = [0, 0];
  for (let turn = 0; turn < repeat; turn++) {
    await contestant.before?.();
    performance.clearResourceTimings();
    const begin = performance.now();
    const found = await contestant.run();
    ms += performance.now() - begin;
    // A task later every answer has its entry.
    await new Promise((resolve) => setTimeout(resolve));
    const answers = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
    bytes += answers.reduce((sum, answer) => sum + answer.transferSize, 0);
    requests += answers.length;
    rows ??= found;
    assert(found > 0 && found === rows, `${rows} rows, found ${found}`);
  }
  return { ms: ms / repeat, bytes: bytes / repeat, requests: requests / repeat };
}

Object.assign(globalThis, { bench: { setup, sample } });
