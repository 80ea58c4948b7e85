import { expect, test } from 'vitest';

import { formatAgo, formatChange, formatDay, formatDuration, formatMinute, formatNumber } from '../src/format';

test.each([
  [-500, 'just now'],
  [999, 'just now'],
  [1_000, '1 s ago'],
  [59_999, '59 s ago'],
  [60_000, '1 min ago'],
  [3_599_999, '59 min ago'],
])('%d ms: %s', (ms, words) => {
  expect(formatAgo(ms)).toBe(words);
});

test.each([
  [3_600_000, '1 h'],
  [3_660_000, '1 h 1 min'],
  [86_400_000, '1 day'],
  [3 * 86_400_000 - 1, '2 days'],
])('%d ms last %s', (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});

test('numbers have a real minus sign, and none when they round to zero', () => {
  expect(formatNumber(-1234.56, 1)).toBe('\u22121,234.6');
  expect(formatNumber(-0.04, 1)).toBe('0.0');
  expect(formatNumber(0, 0)).toBe('0');
});

test('changes are those of the figures as shown', () => {
  expect(formatChange(11.18, 11.17, 2)).toBe('+0.01');
  expect(formatChange(9.5, 10.1, 1)).toBe('\u22120.6');
  expect(formatChange(1.04, 0.96, 1)).toBe('±0');
});

test('dates are shown as published, whatever the zone of the visitor', () => {
  expect(formatDay(Date.UTC(2012, 0, 1))).toBe('1 Jan 2012');
  expect(formatMinute(Date.UTC(2001, 0, 10, 23, 5))).toBe('10 Jan 2001, 23:05');
});
