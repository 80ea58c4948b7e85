// Reads a feed again and again with the npm package: `node reading.mjs http://…/data/ SEED`. One line for each reading: when
// it began (the clock that never goes back, ns), when it ended (ms), and each dataset with the digest that the reader says,
// if the value has it. Ends when stdin does.

import { createHash } from 'node:crypto';

import { entry, wasm } from '../../../reader-wasm/npm/test/support/package.mjs';

const { open } = await import(entry);
// The first reading takes what open has asked for.
let opened = process.hrtime.bigint();
let feed = await open(process.argv[2], { wasm });
let seed = Number(process.argv[3]);
let [stop, lines] = [false, []];

// Marsaglia's xorshift: the same choices for the same seed.
function random(below) {
  for (const [left, by] of [[true, 13], [false, 17], [true, 5]]) seed ^= left ? seed << by : seed >>> by;
  return (seed >>> 0) % below;
}

const names = ['small', 'middle', 'large'];

async function look() {
  if (random(200) === 0) {
    feed.close();
    opened = process.hrtime.bigint();
    feed = await open(process.argv[2], { wasm });
  }
  const options = { lock: ['ignore', 'ignore', 'cache', 'wait'][random(4)] };
  if (random(2)) return Object.values(await feed.snapshot(names.slice(0, 1 + random(3)), options));
  return [await feed.read(names[random(3)], options)];
}

function seen({ data, dataset, generation, sha256, fresh, reason }) {
  const { fill, ...id } = data;
  const digest = createHash('sha256').update(JSON.stringify(data)).digest('hex');
  return { name: dataset, generation, reason: fresh ? null : reason, sha256: digest === sha256 ? sha256 : `${sha256}, but is ${digest}`, id };
}

async function once() {
  const began = opened ?? process.hrtime.bigint();
  opened = null;
  try {
    const datasets = (await look()).map(seen);
    lines.push(`{"began":${began},"ended":${Date.now()},"datasets":${JSON.stringify(datasets)}}`);
  } catch (error) {
    lines.push(JSON.stringify({ failed: `${error.code}: ${error.message}` }));
    stop = true;
  }
  if (lines.length === 20 || stop) {
    process.stdout.write(lines.join('\n') + '\n');
    lines = [];
  }
}

process.stdin.on('end', () => (stop = true)).resume();
while (!stop) await once();
feed.close();
if (lines.length) process.stdout.write(lines.join('\n') + '\n');
