// Reads both datasets of a feed again and again until a line comes in: `node reading.mjs http://…/data/`. Prints the
// round that it reads then. Every snapshot is of one round, whole, fresh, and none older than the one before.

import assert from 'node:assert/strict';
import { once } from 'node:events';

import { entry, wasm } from '../../../reader-wasm/npm/test/support/package.mjs';

const { open } = await import(entry);
const feed = await open(process.argv[2], { wasm });
let [last, stop] = [0, false];

async function read() {
  const { performance, transactions } = await feed.snapshot(['performance', 'transactions'], { lock: 'wait' });
  for (const { data, fresh } of [performance, transactions]) {
    assert.ok(fresh);
    assert.deepEqual(data, Array(2000).fill(data[0]));
  }
  assert.equal(performance.data[0], transactions.data[0]);
  assert.ok(performance.data[0] >= last);
  last = performance.data[0];
}

await read();
console.log('reading');
once(process.stdin, 'data').then(() => (stop = true));
while (!stop) await read();
await read();
console.log(last);
process.stdin.destroy();
