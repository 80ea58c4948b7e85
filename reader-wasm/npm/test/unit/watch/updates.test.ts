import { beforeEach, expect, test } from 'vitest';

import { updatesOf } from '../../../src/watch/updates.js';

let push: (value: number) => void;
let end: () => void;
/** How many watches have begun, and ended. */
let begun: number;
let ended: number;

beforeEach(() => {
  [begun, ended] = [0, 0];
});

function updates(): AsyncIterableIterator<number, undefined> {
  return updatesOf((pushValue, endNow) => {
    begun += 1;
    [push, end] = [pushValue, endNow];
    return () => {
      ended += 1;
      endNow();
    };
  });
}

const done = { done: true, value: undefined };

test('gives what comes, as it comes', async () => {
  const iterator = updates();
  const first = iterator.next();
  push(1);
  expect(await first).toEqual({ done: false, value: 1 });
  push(2);
  expect(await iterator.next()).toEqual({ done: false, value: 2 });
});

test('gives a slow consumer the latest, and nothing in between', async () => {
  const iterator = updates();
  const first = iterator.next();
  for (const value of [1, 2, 3]) push(value);
  expect(await first).toEqual({ done: false, value: 1 });
  expect(await iterator.next()).toEqual({ done: false, value: 3 });
});

test('serves those who ask ahead in their turn', async () => {
  const iterator = updates();
  const both = [iterator.next(), iterator.next()];
  push(1);
  push(2);
  expect(await Promise.all(both)).toEqual([1, 2].map((value) => ({ done: false, value })));
});

test('begins with the first next, and once', async () => {
  const iterator = updates();
  expect(begun).toBe(0);
  void iterator.next();
  void iterator.next();
  expect(begun).toBe(1);
});

test('a break ends the watch', async () => {
  const iterator = updates();
  queueMicrotask(() => push(1));
  for await (const value of iterator) {
    expect(value).toBe(1);
    break;
  }
  expect([begun, ended]).toEqual([1, 1]);
  expect(await iterator.next()).toEqual(done);
});

test('return answers those who are still asking', async () => {
  const iterator = updates();
  const asked = iterator.next();
  expect(await iterator.return?.()).toEqual(done);
  expect(await asked).toEqual(done);
});

test('the end of the watch is the end of the iteration, and what nobody took is gone', async () => {
  const iterator = updates();
  const first = iterator.next();
  push(1);
  push(2);
  end();
  expect(await first).toEqual({ done: false, value: 1 });
  expect(await iterator.next()).toEqual(done);
});

test('one that was never begun ends without a watch', async () => {
  const iterator = updates();
  expect(await iterator.return?.()).toEqual(done);
  expect(await iterator.next()).toEqual(done);
  expect(begun).toBe(0);
});
