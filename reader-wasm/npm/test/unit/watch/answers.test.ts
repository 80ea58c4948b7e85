import { expect, test } from 'vitest';

import type { Answer } from '../../../src/watch/answers.js';
import { Answers } from '../../../src/watch/answers.js';

const answer = (text: string): Answer => ({ bytes: new TextEncoder().encode(text), serverTime: null });

function asker() {
  let asked = 0;
  const ask = async (): Promise<Answer> => answer(`${++asked}`);
  return { ask, count: () => asked };
}

test('reads of one look share what is asked once', async () => {
  const { ask, count } = asker();
  const answers = new Answers();
  const [one, other] = [answers.forRead(), answers.forRead()];
  expect(await Promise.all([one('manifest.json', ask), other('manifest.json', ask)])).toEqual([answer('1'), answer('1')]);
  expect(count()).toBe(1);
  await one('.lock', ask);
  expect(count()).toBe(2);
});

test('a read that asks again is answered anew, and so are those that begin later', async () => {
  const { ask } = asker();
  const answers = new Answers();
  const read = answers.forRead();
  await read('manifest.json', ask);
  expect(await read('manifest.json', ask)).toEqual(answer('2'));
  expect(await answers.forRead()('manifest.json', ask)).toEqual(answer('2'));
  expect(await answers.told()).toEqual({ manifest: answer('2'), lock: null });
});

test('a read that is called off leaves the asking to the next one', async () => {
  const { ask } = asker();
  const answers = new Answers();
  const gone = answers.forRead()('manifest.json', () => Promise.reject(new Error('called off')));
  const next = answers.forRead()('manifest.json', ask);
  await expect(gone).rejects.toThrow('called off');
  expect(await next).toEqual(answer('1'));
});

test('when nothing was asked there is nothing to tell', async () => {
  const answers = new Answers();
  expect(await answers.told()).toBeNull();
  await answers.forRead()('manifest.json', () => Promise.reject(new Error('called off'))).catch(() => {});
  expect(await answers.told()).toBeNull();
});

test('what another tab was answered is asked of nobody', async () => {
  const told = { manifest: answer('m'), lock: answer('l') };
  const answers = Answers.of(told);
  const desk = answers.forRead();
  const { ask, count } = asker();
  expect([await desk('manifest.json', ask), await desk('.lock', ask), count()]).toEqual([told.manifest, told.lock, 0]);
});
