import { expect, test } from 'vitest';

import { figuresOf, monthsOf } from '../src/figures';
import { parseWeather } from '../src/shapes';
import { weatherRow } from './page';

const weather = parseWeather([
  weatherRow('2012-01-30', { temp_max: 10, temp_min: 2, precipitation: 0, wind: 4 }),
  weatherRow('2012-01-31', { temp_max: 16, temp_min: -4, precipitation: 2.5, wind: 9 }),
  weatherRow('2012-02-01', { temp_max: 16, temp_min: 8, precipitation: 4.5, wind: 1 }),
]);

test('key figures', () => {
  expect(figuresOf(weather)).toEqual({
    meanTemperature: 8,
    hottest: { value: 16, date: Date.UTC(2012, 0, 31) },
    coldest: { value: -4, date: Date.UTC(2012, 0, 31) },
    precipitation: 7,
    wetDays: 2,
    windiest: { value: 9, date: Date.UTC(2012, 0, 31) },
    days: 3,
  });
});

test('months, in order', () => {
  expect(monthsOf(weather)).toEqual([
    { start: Date.UTC(2012, 0, 1), meanHigh: 13, meanLow: -1, precipitation: 2.5 },
    { start: Date.UTC(2012, 1, 1), meanHigh: 16, meanLow: 8, precipitation: 4.5 },
  ]);
});
