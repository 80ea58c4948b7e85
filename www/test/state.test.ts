import { describe, expect, test } from 'vitest';

import type { Code, State } from '../src/state';
import { afterFailure, afterReading, overall } from '../src/state';
import { announcement, explain, overallWording, wordingOf } from '../src/words';
import { reading } from './page';

const loading: State = { kind: 'loading' };
const fresh = afterReading(reading(), 0);
const locked = afterReading(reading({ fresh: false, reason: 'locked', detail: 'held', source: 'cache' }), 0);
const offline = afterReading(reading({ fresh: false, reason: 'offline', detail: 'no route', source: 'fallback' }), 0);
const failed = afterFailure({ code: 'not-found', detail: null }, loading);

describe('states', () => {
  test('follow from readings', () => {
    expect(fresh.kind).toBe('fresh');
    expect(locked.kind).toBe('updating');
    expect(offline).toMatchObject({ kind: 'cached', why: { code: 'offline', detail: 'no route' }, shown: { source: 'fallback' } });
  });

  test('a failure with nothing shown is a failure', () => {
    expect(failed).toEqual({ kind: 'failed', shown: null, why: { code: 'not-found', detail: null } });
  });

  test('a failure with verified data on the page leaves it there as a copy', () => {
    const after = afterFailure({ code: 'timeout', detail: null }, fresh);
    expect(after).toMatchObject({ kind: 'cached', why: { code: 'timeout' }, shown: { source: 'page', generation: 7 } });
  });

  test('an unexpected shape is a failure even then', () => {
    const after = afterFailure({ code: 'unexpected-shape', detail: null }, fresh);
    expect(after).toMatchObject({ kind: 'failed', shown: { generation: 7 } });
  });

  test('the page is as well off as its worst dataset', () => {
    expect(overall(['fresh', 'fresh'])).toBe('fresh');
    expect(overall(['fresh', 'updating'])).toBe('updating');
    expect(overall(['loading', 'fresh'])).toBe('loading');
    expect(overall(['cached', 'loading'])).toBe('cached');
    expect(overall(['cached', 'failed'])).toBe('failed');
  });
});

describe('words', () => {
  test('ages grow with the clock of the page', () => {
    expect(wordingOf(fresh, 0).summary).toBe('Generation 7, published 2 s ago');
    expect(wordingOf(fresh, 60_000).summary).toBe('Generation 7, published 1 min ago');
  });

  test('a cached copy comes with its age and the reason', () => {
    const { summary, note } = wordingOf(offline, 3_000);
    expect(summary).toBe('Generation 7, published 5 s ago');
    expect(note).toContain('cannot be reached');
  });

  test('a failure says what to do', () => {
    expect(wordingOf(failed, 0).note).toContain(explain('not-found').advice);
  });

  test('a failure that leaves older data says which', () => {
    const after = afterFailure({ code: 'unexpected-shape', detail: null }, fresh);
    expect(wordingOf(after, 0).summary).toBe('Still showing generation 7');
    expect(wordingOf(after, 0).note).toMatch(/^Unexpected shape/);
  });

  test('every code has a reason and advice of its own', () => {
    const codes: Code[] = ['offline', 'http', 'expired', 'regressed', 'checksum-mismatch', 'wasm', 'unexpected-shape'];
    expect(new Set(codes.map((code) => explain(code).reason)).size).toBe(codes.length);
    for (const code of codes) expect(explain(code).advice).not.toBe('');
  });

  test('the overall line counts when only some are affected', () => {
    expect(overallWording('cached', ['cached', 'fresh'])).toBe('1 of 2 datasets cached');
    expect(overallWording('cached', ['cached', 'cached'])).toBe('Showing cached data');
    expect(overallWording('failed', ['failed', 'fresh'])).toBe('1 of 2 datasets failed');
  });
});

describe('announcements', () => {
  test('trouble and its end are told', () => {
    expect(announcement('Flights', fresh, offline)).toBe('Flights: cached. The data server cannot be reached.');
    expect(announcement('Flights', loading, failed)).toBe('Flights: failed. The feed has no such dataset.');
    expect(announcement('Flights', offline, fresh)).toBe('Flights: fresh again.');
  });

  test('the daily round is not', () => {
    const rounds: [State, State][] = [
      [loading, fresh],
      [fresh, locked],
      [locked, fresh],
      [fresh, afterReading(reading({ generation: 8 }), 0)],
      [offline, offline],
    ];
    for (const [before, after] of rounds) expect(announcement('Flights', before, after)).toBeNull();
  });
});
