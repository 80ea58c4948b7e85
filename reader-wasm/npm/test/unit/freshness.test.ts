import { beforeEach, expect, test } from 'vitest';

import { LastgoodError } from '../../src/errors.js';
import { Freshness } from '../../src/freshness.js';
import type { ErrorCode, FeedEvent, ReasonCode, Reading } from '../../src/types.js';

let now: number;
let events: FeedEvent[];
let freshness: Freshness;

beforeEach(() => {
  now = 0;
  events = [];
  freshness = new Freshness((event) => events.push(event), () => now);
});

function reading(dataset: string, reason: ReasonCode | null = null): Reading {
  return {
    ...{ data: 1, dataset, source: 'cache', fresh: reason === null, reason, detail: reason && `because: ${reason}` },
    ...{ generation: 1, sha256: '', publishedAt: '', ageMs: 0, checkedAt: '', meta: null, schemaVersion: null, cachedIn: null },
  };
}

const saw = (reason: ReasonCode | null): void => freshness.saw(['sales'], [reading('sales', reason)]);
const failed = (code: ErrorCode, of: Reading | null = null): void =>
  freshness.saw(['sales'], new LastgoodError(`because: ${code}`, { code, reading: of }));

test('stale once, recovered once, with the time between', () => {
  saw(null);
  saw(null);
  now = 1_000;
  saw('offline');
  saw('http');
  failed('timeout');
  now = 5_000.4;
  saw(null);
  saw(null);
  expect(events).toEqual([
    { type: 'stale', dataset: 'sales', reason: 'offline', detail: 'because: offline' },
    { type: 'recovered', dataset: 'sales', staleMs: 4_000 },
  ]);
});

test('what was never fresh does not become stale, and does not recover', () => {
  saw('offline');
  saw(null);
  expect(events).toEqual([]);
});

test('a failure makes it stale too', () => {
  saw(null);
  failed('http');
  expect(events).toMatchObject([{ type: 'stale', reason: 'http', detail: 'because: http' }]);
});

test('one that is too old is stale for the reason that it was not confirmed', () => {
  saw(null);
  failed('too-old', reading('sales', 'offline'));
  expect(events).toMatchObject([{ type: 'stale', reason: 'offline' }]);
});

test.each<ErrorCode>(['aborted', 'closed', 'invalid-options'])('what the page does itself is nothing: %s', (code) => {
  saw(null);
  failed(code);
  expect(events).toEqual([]);
});

test('each dataset for itself', () => {
  freshness.saw(['sales', 'stock'], [reading('sales'), reading('stock')]);
  freshness.saw(['sales', 'stock'], [reading('sales'), reading('stock', 'checksum-mismatch')]);
  expect(events).toMatchObject([{ type: 'stale', dataset: 'stock' }]);
});

test('an older manifest is told once, until one has been accepted again', () => {
  const both = (reason: ReasonCode | null): void =>
    freshness.saw(['sales', 'stock'], [reading('sales', reason), reading('stock', reason)]);
  for (const reason of ['regressed', 'regressed', 'offline', 'regressed', null, 'regressed'] as const) both(reason);
  expect(events.filter(({ type }) => type === 'regressed')).toHaveLength(2);
});
