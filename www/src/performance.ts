/** The `performance` section: key figures, the chart, and its months as a table. */

import type { WeatherChart } from './chart';
import type { View } from './dataset';
import { create, find, setText } from './dom';
import type { Figures } from './figures';
import { figuresOf, monthsOf } from './figures';
import type { Digits } from './format';
import { formatChange, formatDay, formatMonthYear, formatNumber } from './format';
import type { Weather } from './shapes';

interface Card {
  readonly unit: string;
  readonly digits: Digits;
  readonly value: (figures: Figures) => number;
  readonly note: (figures: Figures) => string;
}

const CARDS: Readonly<Record<string, Card>> = {
  mean: {
    unit: ' °C',
    digits: 2,
    value: (figures) => figures.meanTemperature,
    note: () => 'day and night',
  },
  hottest: {
    unit: ' °C',
    digits: 1,
    value: (figures) => figures.hottest.value,
    note: (figures) => formatDay(figures.hottest.date),
  },
  coldest: {
    unit: ' °C',
    digits: 1,
    value: (figures) => figures.coldest.value,
    note: (figures) => formatDay(figures.coldest.date),
  },
  precipitation: {
    unit: ' mm',
    digits: 1,
    value: (figures) => figures.precipitation,
    note: (figures) => `${formatNumber(figures.precipitation / figures.days, 1)} mm a day`,
  },
  wet: {
    unit: '',
    digits: 0,
    value: (figures) => figures.wetDays,
    note: (figures) => `${formatNumber((100 * figures.wetDays) / figures.days, 0)} % of all days`,
  },
  windiest: {
    unit: ' m/s',
    digits: 1,
    value: (figures) => figures.windiest.value,
    note: (figures) => formatDay(figures.windiest.date),
  },
};

interface Shown {
  readonly figures: Figures;
  readonly generation: number;
}

export class PerformanceView implements View<Weather> {
  readonly #section: HTMLElement;
  readonly #chart: Pick<WeatherChart, 'show'>;
  #before: Shown | null = null;

  constructor(section: HTMLElement, chart: Pick<WeatherChart, 'show'>) {
    this.#section = section;
    this.#chart = chart;
  }

  render(weather: Weather, generation: number): void {
    const figures = figuresOf(weather);
    this.#showPeriod(weather);
    for (const [name, card] of Object.entries(CARDS)) this.#showCard(name, card, figures);
    this.#showMonths(weather);
    this.#chart.show(weather);
    this.#before = { figures, generation };
  }

  #showPeriod(weather: Weather): void {
    const last = weather.at(-1) ?? weather[0];
    const period = `${formatDay(weather[0].date)} – ${formatDay(last.date)}, ${weather.length} days`;
    const compared = this.#before === null ? '' : `. Changes since generation ${this.#before.generation}`;
    setText(find(this.#section, '[data-part="period"]', HTMLElement), `${period}${compared}`);
  }

  #showCard(name: string, card: Card, figures: Figures): void {
    const root = find(this.#section, `[data-figure="${name}"]`, HTMLElement);
    const part = (part: string): HTMLElement => find(root, `[data-part="${part}"]`, HTMLElement);
    const value = card.value(figures);
    setText(part('value'), `${formatNumber(value, card.digits)}${card.unit}`);
    setText(part('note'), card.note(figures));
    const change = this.#before === null ? '' : formatChange(value, card.value(this.#before.figures), card.digits);
    setText(part('change'), change);
  }

  #showMonths(weather: Weather): void {
    const body = find(this.#section, '[data-part="months"] tbody', HTMLTableSectionElement);
    body.replaceChildren(
      ...monthsOf(weather).map((month) => {
        const row = create('tr', '');
        row.append(create('th', formatMonthYear(month.start), { scope: 'row' }));
        for (const value of [month.meanHigh, month.meanLow, month.precipitation]) {
          row.append(create('td', formatNumber(value, 1), { class: 'number' }));
        }
        return row;
      }),
    );
  }
}
