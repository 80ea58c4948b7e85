// @vitest-environment happy-dom

import { act } from 'react';
import { beforeEach, describe, expect, test } from 'vitest';
import { ago, ENGLISH, FeedStatus, FRENCH, GERMAN, SPANISH, stateOf, type FeedState } from '../../../src/react-status.js';
import { useArtifact, useDataset, useSnapshot } from '../../../src/react.js';
import type { ReasonCode } from '../../../src/types.js';
import { reading, ScriptedFeed } from './scripted-feed.js';
import { page, pass, show, stage } from './stage.js';

stage();
let scripted: ScriptedFeed;
beforeEach(() => {
  scripted = new ScriptedFeed();
});

function Status({ texts }: { texts?: typeof GERMAN }) {
  return <FeedStatus of={useDataset(scripted.feed, 'sales')} className="status" {...(texts && { texts })} />;
}

const status = () => page.querySelector('[role=status]')!;
const state = () => page.querySelector('.status')!.getAttribute('data-state');

test('what is said follows the feed, in the element that is announced, which is there from the beginning', async () => {
  await show(<Status />);
  expect([state(), status().textContent]).toEqual(['pending', 'Loading…']);
  const announced = status();
  expect(announced.getAttribute('aria-live')).toBe('polite');
  expect(page.querySelector('[data-fetching]')).not.toBeNull();
  await act(async () => scripted.tell('sales', 1, { ageMs: 180_000 }));
  expect([state(), status().textContent]).toEqual(['fresh', 'Up to date']);
  expect(page.querySelector('[data-fetching]')).toBeNull();
  await act(async () => scripted.tell('sales', 1, { fresh: false, reason: 'locked' }));
  expect([state(), status().textContent]).toEqual(['updating', 'Being updated']);
  await act(async () => scripted.fail('sales', 'too-old'));
  expect([state(), status().textContent]).toEqual(['failed', 'No data']);
  expect(status()).toBe(announced);
});

test('the age ticks beside what is announced', async () => {
  await show(<Status />);
  await act(async () => scripted.tell('sales', 1, { ageMs: 180_000 }));
  const time = page.querySelector('time')!;
  expect([time.textContent, time.getAttribute('datetime')]).toEqual(['3 minutes ago', '2026-11-20T14:39:00.123Z']);
  const announced = status().outerHTML;
  await pass(60_000);
  expect([time.textContent, status().outerHTML]).toEqual(['4 minutes ago', announced]);
  expect(status().contains(time)).toBe(false);
});

test('texts can be replaced, one or all', async () => {
  await show(<Status texts={GERMAN} />);
  await act(async () => scripted.tell('sales', 1, { ageMs: 180_000 }));
  expect(page.textContent).toBe('Aktuell vor 3 Minuten');
  await show(<FeedStatus of={{ status: 'pending', isFetching: true }} texts={{ pending: 'Moment' }} />);
  expect(page.textContent).toBe('Moment');
});

test('of several datasets, the worst state and the greatest age count', async () => {
  function All() {
    return (
      <>
        <FeedStatus of={useSnapshot(scripted.feed, ['sales', 'stock'])} className="status" />
        <FeedStatus of={useArtifact(null, null)} />
      </>
    );
  }
  await show(<All />);
  const sales = reading('sales', 1, { ageMs: 60_000 });
  const stock = reading('stock', 1, { ageMs: 7_200_000, fresh: false, reason: 'checksum-mismatch' });
  await act(async () => scripted.tellAll({ sales, stock }));
  expect([state(), page.querySelector('time')!.textContent]).toEqual(['stale', '2 hours ago']);
});

describe('the state', () => {
  const states: [ReasonCode | null, FeedState][] = [
    [null, 'fresh'],
    ['checking', 'checking'],
    ['locked', 'updating'],
    ['offline', 'offline'],
    ['timeout', 'offline'],
    ['http', 'offline'],
    ['truncated', 'offline'],
    ['expired', 'expired'],
    ['regressed', 'stale'],
    ['schema-newer', 'stale'],
  ];
  test.each(states)('with the reason %s is %s', (reason, state) => {
    const result = { status: 'success', isFetching: false, reading: reading('sales', 1, { reason }) } as const;
    expect(stateOf(result)).toBe(state);
  });
});

test('each language has a text for each state, and its own', () => {
  const languages = [ENGLISH, GERMAN, FRENCH, SPANISH];
  for (const name of Object.keys(ENGLISH) as (keyof typeof ENGLISH)[]) {
    const texts = languages.map((texts) => (name === 'age' ? texts.age(120_000) : texts[name]));
    expect(new Set(texts).size, name).toBe(4);
    expect(texts.every((text) => text.length > 0)).toBe(true);
  }
});

test('ages are told in the largest unit that fits', () => {
  const day = 86_400_000;
  expect([0, 59_999, 60_000, 3_599_999, 3_600_000, day, 10 * day].map((ms) => ago('en', ms))).toEqual([
    'now',
    '59 seconds ago',
    '1 minute ago',
    '59 minutes ago',
    '1 hour ago',
    'yesterday',
    '10 days ago',
  ]);
});
