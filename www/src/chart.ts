/** The weather over time: highs and lows as a band, precipitation as bars, and a crosshair for mouse, touch and keys. */

import uPlot from 'uplot';

import { find, setText } from './dom';
import { formatDay, formatMonth, formatNumber } from './format';
import type { Weather, WeatherDay } from './shapes';

const DAY_SECONDS = 86_400;
/** Leaves the upper part of the plot to the temperatures. */
const RAIN_HEADROOM = 2.6;
const FONT = '12px system-ui, sans-serif';

/** What is in view: everything, the last so many days, or a stretch that was picked by dragging. */
type Range = 'all' | 'picked' | number;

export class WeatherChart {
  readonly #root: HTMLElement;
  readonly #plotArea: HTMLElement;
  readonly #buttons: readonly HTMLButtonElement[];
  #plot: uPlot | null = null;
  #weather: Weather | null = null;
  #range: Range = 'all';

  /** `root` holds the plot area, the range buttons, the readout and the summary. */
  constructor(root: HTMLElement) {
    this.#root = root;
    this.#plotArea = find(root, '[data-part="plot"]', HTMLElement);
    this.#buttons = [...root.querySelectorAll<HTMLButtonElement>('button[data-range]')];
    for (const button of this.#buttons) {
      button.addEventListener('click', () => this.#setRange(rangeOf(button)));
    }
    this.#plotArea.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.#plotArea);
  }

  show(weather: Weather): void {
    this.#weather = weather;
    this.#plotArea.setAttribute('aria-valuemax', String(weather.length - 1));
    setText(find(this.#root, '[data-part="chart-summary"]', HTMLElement), summaryOf(weather));
    if (this.#plot === null) {
      this.#plot = this.#create(columns(weather));
      this.#followTouch(this.#plot.over);
    } else {
      this.#plot.setData(columns(weather), false);
    }
    this.#applyRange();
    this.#showReadout();
  }

  /** Draws again, in the page's colours of now. */
  recolour(): void {
    this.#plot?.redraw(false, true);
  }

  #create(data: uPlot.AlignedData): uPlot {
    const high = (): string => colour('--high');
    const low = (): string => colour('--low');
    const rain = (): string => colour('--rain');
    const axis: uPlot.Axis = {
      stroke: () => colour('--muted'),
      grid: { stroke: () => colour('--grid'), width: 1 },
      ticks: { show: false },
      font: FONT,
    };
    const bars = uPlot.paths.bars?.({ size: [0.6, 8] });
    const options: uPlot.Options = {
      ...this.#size(),
      padding: [12, 4, 0, 4],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      cursor: {
        y: false,
        drag: { x: true, y: false },
        points: { size: 7 },
        bind: {
          dblclick: () => () => {
            this.#setRange('all');
            return null;
          },
        },
      },
      scales: {
        x: { time: true },
        temperature: { range: (_plot, min, max) => [Math.floor(min / 5) * 5 - 5, Math.ceil(max / 5) * 5] },
        rain: { range: (_plot, _min, max) => [0, Math.max(max, 10) * RAIN_HEADROOM] },
      },
      axes: [
        { ...axis, grid: { show: false }, space: 48, size: 44, values: (_plot, splits, _axis, _space, step) => dateLabels(splits, step) },
        { ...axis, scale: 'temperature', size: 44, values: (_plot, splits) => splits.map((value) => `${formatNumber(value, 0)}°`) },
        {
          ...axis,
          scale: 'rain',
          side: 1,
          size: 48,
          grid: { show: false },
          values: (plot, splits) => splits.map((value) => rainLabel(value, plot)),
        },
      ],
      series: [
        {},
        { label: 'Rain', scale: 'rain', stroke: rain, fill: rain, width: 0, points: { show: false }, ...(bars && { paths: bars }) },
        { label: 'High', scale: 'temperature', stroke: high, width: 1.5, points: { show: false } },
        { label: 'Low', scale: 'temperature', stroke: low, width: 1.5, points: { show: false } },
      ],
      bands: [{ series: [2, 3], fill: () => colour('--band') }],
      hooks: {
        setCursor: [() => this.#showReadout()],
        setSelect: [
          (plot) => {
            if (plot.select.width > 0) this.#mark('picked');
          },
        ],
      },
    };
    return new uPlot(options, data, this.#plotArea);
  }

  #size(): { width: number; height: number } {
    return { width: this.#plotArea.clientWidth, height: this.#plotArea.clientHeight };
  }

  #setRange(range: Range): void {
    this.#mark(range);
    this.#applyRange();
    // The crosshair would now stand beside its day.
    this.#plot?.setCursor({ left: -1, top: -1 });
  }

  #mark(range: Range): void {
    this.#range = range;
    for (const button of this.#buttons) button.setAttribute('aria-pressed', String(rangeOf(button) === range));
  }

  #applyRange(): void {
    if (this.#plot === null || this.#weather === null) return;
    const { min, max } = this.#plot.scales['x'] ?? {};
    const picked = this.#range === 'picked' && typeof min === 'number' && typeof max === 'number';
    this.#plot.setScale('x', picked ? { min, max } : extent(this.#weather, this.#range));
  }

  #onKey(event: KeyboardEvent): void {
    const plot = this.#plot;
    if (plot === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const [first, last] = plot.series[0]?.idxs ?? [0, 0];
    const at = plot.cursor.idx ?? null;
    const to = keyTarget(event.key, at, first, last);
    if (to === null) return;
    event.preventDefault();
    const x = plot.data[0][to];
    // The cursor belongs between the edges of the plot; a rounding error outside them would hide it.
    if (x !== undefined) plot.setCursor({ left: Math.max(0, plot.valToPos(x, 'x')), top: 0 });
  }

  /** A finger that slides sideways moves the crosshair; up and down it scrolls the page (touch-action in the styles). */
  #followTouch(over: HTMLElement): void {
    const follow = (event: PointerEvent): void => {
      if (event.pointerType !== 'touch') return;
      const { left, top } = over.getBoundingClientRect();
      this.#plot?.setCursor({ left: event.clientX - left, top: event.clientY - top });
    };
    over.addEventListener('pointerdown', follow);
    over.addEventListener('pointermove', follow);
  }

  /** The day under the crosshair, else the latest one. */
  #showReadout(): void {
    if (this.#weather === null) return;
    const index = this.#plot?.cursor.idx ?? this.#weather.length - 1;
    const day = this.#weather[index] ?? this.#weather[0];
    const words = wordsOf(day);
    for (const [name, value] of Object.entries(words)) {
      setText(find(this.#root, `[data-readout="${name}"]`, HTMLElement), value);
    }
    this.#plotArea.setAttribute('aria-valuenow', String(index));
    this.#plotArea.setAttribute(
      'aria-valuetext',
      `${words.date}: high ${words.high}, low ${words.low}, precipitation ${words.rain}, ${words.weather}`,
    );
  }
}

function rangeOf(button: HTMLButtonElement): Range {
  const days = Number(button.dataset['range']);
  return Number.isInteger(days) ? days : 'all';
}

function columns(weather: Weather): uPlot.AlignedData {
  return [
    weather.map((day) => day.date / 1000),
    weather.map((day) => day.precipitation),
    weather.map((day) => day.high),
    weather.map((day) => day.low),
  ];
}

/** From the first day in range to the last, in seconds; half a day more on both sides makes room for whole bars. */
export function extent(weather: Weather, range: Range): { min: number; max: number } {
  const first = weather[0].date / 1000;
  const last = (weather.at(-1) ?? weather[0]).date / 1000;
  const from = typeof range === 'number' ? Math.max(first, last - (range - 1) * DAY_SECONDS) : first;
  return { min: from - DAY_SECONDS / 2, max: last + DAY_SECONDS / 2 };
}

/** The day that a key leads to, within the days in view; `null` for keys that mean nothing here. */
export function keyTarget(key: string, at: number | null, first: number, last: number): number | null {
  const from = at ?? last;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: from - 1,
    ArrowDown: from - 1,
    ArrowRight: from + 1,
    ArrowUp: from + 1,
    PageDown: from - 30,
    PageUp: from + 30,
    Home: first,
    End: last,
  };
  const to = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return to === undefined ? null : Math.min(last, Math.max(first, to));
}

/** What the chart shows, in a sentence. */
export function summaryOf(weather: Weather): string {
  const last = weather.at(-1) ?? weather[0];
  const warmest = Math.max(...weather.map((day) => day.high));
  const coldest = Math.min(...weather.map((day) => day.low));
  const wettest = weather.reduce((best, day) => (day.precipitation > best.precipitation ? day : best));
  return (
    `Daily high and low temperature and precipitation, ${formatDay(weather[0].date)} to ${formatDay(last.date)}. ` +
    `Temperatures lie between ${formatNumber(coldest, 1)} and ${formatNumber(warmest, 1)} °C; ` +
    `the wettest day was ${formatDay(wettest.date)} with ${formatNumber(wettest.precipitation, 1)} mm.`
  );
}

function wordsOf(day: WeatherDay): Readonly<Record<'date' | 'high' | 'low' | 'rain' | 'weather', string>> {
  return {
    date: formatDay(day.date),
    high: `${formatNumber(day.high, 1)} °C`,
    low: `${formatNumber(day.low, 1)} °C`,
    rain: `${formatNumber(day.precipitation, 1)} mm`,
    weather: day.weather,
  };
}

function dateLabels(splits: readonly number[], step: number): string[] {
  return splits.map((seconds, index) => {
    const at = seconds * 1000;
    const date = new Date(at);
    const label = step >= 28 * DAY_SECONDS ? formatMonth(at) : `${date.getUTCDate()} ${formatMonth(at)}`;
    const newYear = index === 0 || new Date((splits[index - 1] ?? seconds) * 1000).getUTCFullYear() !== date.getUTCFullYear();
    return newYear ? `${label}\n${date.getUTCFullYear()}` : label;
  });
}

/** Labels the part of the axis that bars can reach. */
function rainLabel(value: number, plot: uPlot): string {
  const max = plot.scales['rain']?.max ?? 0;
  return value <= max / RAIN_HEADROOM ? `${formatNumber(value, 0)} mm` : '';
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
