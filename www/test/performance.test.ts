import { beforeEach, describe, expect, test } from 'vitest';

import { extent, keyTarget, summaryOf } from '../src/chart';
import { PerformanceView } from '../src/performance';
import type { Weather } from '../src/shapes';
import { parseWeather } from '../src/shapes';
import { loadPage, section, text, weatherRow } from './page';

const DAY = 86_400;
const january = parseWeather([weatherRow('2012-01-01', { temp_max: 10 }), weatherRow('2012-01-02', { precipitation: 9 })]);

describe('key figures on the page', () => {
  beforeEach(loadPage);

  test('are compared with the reading before', () => {
    const root = section('performance');
    const drawn: Weather[] = [];
    const view = new PerformanceView(root, { show: (weather) => drawn.push(weather) });
    view.render(january, 7);
    expect(text(root, '[data-figure="hottest"] [data-part="value"]')).toBe('12.0 °C');
    expect(text(root, '[data-figure="hottest"] [data-part="note"]')).toBe('2 Jan 2012');
    expect(text(root, '[data-figure="hottest"] [data-part="change"]')).toBe('');
    expect(text(root, '[data-part="period"]')).toBe('1 Jan 2012 – 2 Jan 2012, 2 days');

    const warmer = parseWeather([weatherRow('2012-01-02', { precipitation: 9 }), weatherRow('2012-01-03', { temp_max: 13.5 })]);
    view.render(warmer, 9);
    expect(text(root, '[data-figure="hottest"] [data-part="change"]')).toBe('+1.5');
    expect(text(root, '[data-figure="wet"] [data-part="change"]')).toBe('±0');
    expect(text(root, '[data-part="period"]')).toContain('Changes since generation 7');
    expect(drawn).toEqual([january, warmer]);
  });

  test('come with the months as a table', () => {
    const root = section('performance');
    new PerformanceView(root, { show: () => {} }).render(january, 7);
    const cells = [...root.querySelectorAll('[data-part="months"] tbody tr > *')].map((cell) => cell.textContent);
    expect(cells).toEqual(['January 2012', '11.0', '4.0', '10.5']);
  });
});

describe('the chart', () => {
  test('is summed up in a sentence', () => {
    expect(summaryOf(january)).toBe(
      'Daily high and low temperature and precipitation, 1 Jan 2012 to 2 Jan 2012. ' +
        'Temperatures lie between 4.0 and 12.0 °C; the wettest day was 2 Jan 2012 with 9.0 mm.',
    );
  });

  test('shows whole days, as many as asked for and as there are', () => {
    const first = Date.UTC(2012, 0, 1) / 1000;
    const all = { min: first - DAY / 2, max: first + 1.5 * DAY };
    expect(extent(january, 'all')).toEqual(all);
    expect(extent(january, 30)).toEqual(all);
    expect(extent(january, 1)).toEqual({ min: first + DAY / 2, max: first + 1.5 * DAY });
  });

  test('keys move the crosshair within what is in view', () => {
    expect(keyTarget('ArrowLeft', null, 0, 9)).toBe(8);
    expect(keyTarget('ArrowRight', 9, 0, 9)).toBe(9);
    expect(keyTarget('PageDown', 9, 3, 9)).toBe(3);
    expect(keyTarget('Home', 5, 3, 9)).toBe(3);
    expect(keyTarget('End', 5, 3, 9)).toBe(9);
    expect(keyTarget('Tab', 5, 3, 9)).toBeNull();
    expect(keyTarget('toString', 5, 3, 9)).toBeNull();
  });
});
