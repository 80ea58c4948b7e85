import { describe, expect, test } from 'vitest';

import { parseFlights, parseWeather, ShapeError, textNotes } from '../src/shapes';
import { flightRow, weatherRow } from './page';

describe('parseWeather', () => {
  test('reads the published rows, in order of time', () => {
    const weather = parseWeather([weatherRow('2012-01-02'), weatherRow('2012-01-01', { temp_min: -3 })]);
    expect(weather).toEqual([
      { date: Date.UTC(2012, 0, 1), precipitation: 1.5, high: 12, low: -3, wind: 3.1, weather: 'rain' },
      { date: Date.UTC(2012, 0, 2), precipitation: 1.5, high: 12, low: 4, wind: 3.1, weather: 'rain' },
    ]);
  });

  test.each([
    ['not an array', { rows: [] }, 'the payload: expected an array of rows, found an object'],
    ['no rows', [], 'the payload: expected at least one row, found an empty array'],
    ['null', null, 'the payload: expected an array of rows, found null'],
    ['a row that is no object', [weatherRow('2012-01-01'), 5], 'row 2: expected an object, found number "5"'],
    ['a row that is an array', [[1]], 'row 1: expected an object, found an array'],
    ['a missing member', [weatherRow('2012-01-01', { wind: undefined })], 'row 1, wind: expected a number, found nothing'],
    ['text for a number', [weatherRow('2012-01-01', { temp_max: '12' })], 'row 1, temp_max: expected a number, found string "12"'],
    ['a number for text', [weatherRow('2012-01-01', { weather: 1 })], 'row 1, weather: expected a string, found number "1"'],
    ['a date in words', [weatherRow('tomorrow')], 'row 1, date: expected a date (YYYY-MM-DD), found string "tomorrow"'],
    ['a day that does not exist', [weatherRow('2012-13-01')], 'row 1, date: expected a date (YYYY-MM-DD), found string "2012-13-01"'],
  ])('refuses %s, and says where and why', (_name, payload, message) => {
    expect(() => parseWeather(payload)).toThrow(ShapeError);
    expect(() => parseWeather(payload)).toThrow(message);
  });
});

describe('parseFlights', () => {
  test('reads the published rows', () => {
    expect(parseFlights([flightRow()])).toEqual([
      { scheduled: Date.UTC(2001, 0, 10, 18, 20), delay: 95, distance: 1205, origin: 'HOU', destination: 'SJC' },
    ]);
  });

  test('no flights are a valid answer', () => {
    expect(parseFlights([])).toEqual([]);
  });

  test('refuses a date without a time', () => {
    expect(() => parseFlights([flightRow({ date: '2001-01-10' })])).toThrow('row 1, date: expected a local time');
  });

  test('quotes long values in part', () => {
    expect(() => parseFlights([flightRow({ date: 'x'.repeat(1000) })])).toThrow(/^.{1,120}$/);
  });
});

test('textNotes keeps what is text and ignores the rest', () => {
  expect(textNotes({ source: 'vega', run: 5, nested: {} })).toEqual([['source', 'vega']]);
  expect(textNotes(null)).toEqual([]);
  expect(textNotes(['a'])).toEqual([]);
});
