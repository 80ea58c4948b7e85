// @vitest-environment happy-dom

import { act } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';
import { useArtifact, type ArtifactResult, type UseArtifactOptions } from '../../../src/react.js';
import { reading, ScriptedFeed } from './scripted-feed.js';
import { page, pass, show, stage } from './stage.js';

const LINGER_MS = 5000;
const GC_MS = 300_000;

stage();
let scripted: ScriptedFeed;
let results: ArtifactResult[];
/** The object URLs that were made and not revoked. */
let alive: Set<string>;
beforeEach(() => {
  scripted = new ScriptedFeed();
  results = [];
  alive = new Set();
  let made = 0;
  vi.spyOn(URL, 'createObjectURL').mockImplementation(() => {
    const url = `blob:${(made += 1)}`;
    alive.add(url);
    return url;
  });
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => {
    expect(alive.delete(url), `${url} is revoked once`).toBe(true);
    // Whatever is revoked is not on the page any more.
    expect(page.innerHTML).not.toContain(url);
  });
});

function Chart({ name = 'chart', options }: { name?: string | null; options?: UseArtifactOptions }) {
  const result = useArtifact(scripted.feed, name, options);
  results.push(result);
  return result.url === undefined ? <p>{result.error?.code ?? 'pending'}</p> : <img src={result.url} />;
}

const told = (bytes: string) => act(async () => scripted.tell('chart', new Blob([bytes])));
const shown = () => page.querySelector('img')?.getAttribute('src');

test('an artifact has an object URL, the same until it changes, which is revoked when the next one is shown', async () => {
  await show([<Chart key="1" />, <Chart key="2" />]);
  expect(page.textContent).toBe('pendingpending');
  await told('one');
  expect([shown(), [...alive]]).toEqual(['blob:1', ['blob:1']]);
  const { data, reading: first } = results.at(-1)!;
  await act(async () => scripted.tell('chart', data, { fresh: false, reason: 'offline' }));
  expect(results.at(-1)).toMatchObject({ data, url: 'blob:1', isFresh: false });
  expect(results.at(-1)!.reading).not.toBe(first);
  await told('two');
  await pass(1);
  expect([shown(), [...alive]]).toEqual(['blob:2', ['blob:2']]);
  expect(scripted.begun).toHaveLength(1);
});

test('a chart that failed comes back when it is repaired', async () => {
  await show(<Chart />);
  await act(async () => scripted.fail('chart', 'checksum-mismatch'));
  expect(page.textContent).toBe('checksum-mismatch');
  await told('repaired');
  expect([shown(), results.at(-1)!.error]).toEqual(['blob:1', null]);
  await act(async () => scripted.fail('chart', 'checksum-mismatch'));
  expect([shown(), results.at(-1)!.error?.code]).toEqual(['blob:1', 'checksum-mismatch']);
});

test('the object URL stays as long as the data, and goes with it', async () => {
  await show(<Chart key="1" />);
  await told('one');
  await show(null);
  await pass(LINGER_MS);
  results = [];
  await show(<Chart key="2" />);
  expect([results[0]!.url, [...alive]]).toEqual(['blob:1', ['blob:1']]);
  await show(null);
  await pass(GC_MS);
  await pass(1);
  expect([...alive]).toEqual([]);
});

test('a chart that became too old is revoked, and nothing is read without a name', async () => {
  await show(<Chart options={{ maxAge: 1000 }} />);
  await told('one');
  await act(async () => scripted.fail('chart', 'too-old'));
  await pass(1);
  expect([shown(), [...alive]]).toEqual([undefined, []]);
  await show(<Chart name={null} />);
  expect(page.textContent).toBe('pending');
});

test('what is watched is an artifact, not the dataset of that name', async () => {
  const watch = vi.spyOn(scripted, 'watchArtifact');
  scripted.known.set('chart', reading('chart', ['not a chart']));
  await show(<Chart />);
  expect(watch).toHaveBeenCalledOnce();
  expect(page.textContent).toBe('pending');
});
