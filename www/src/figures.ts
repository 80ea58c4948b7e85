/** The key figures of a stretch of weather. */

import type { Weather, WeatherDay } from './shapes';

export interface Extreme {
  readonly value: number;
  readonly date: number;
}

export interface Figures {
  /** Of the means of each day's high and low, in degrees Celsius. */
  readonly meanTemperature: number;
  readonly hottest: Extreme;
  readonly coldest: Extreme;
  /** In millimetres. */
  readonly precipitation: number;
  /** Days with any precipitation. */
  readonly wetDays: number;
  readonly windiest: Extreme;
  readonly days: number;
}

export interface Month {
  /** Its first day, in milliseconds since the epoch, UTC. */
  readonly start: number;
  readonly meanHigh: number;
  readonly meanLow: number;
  readonly precipitation: number;
}

export function figuresOf(weather: Weather): Figures {
  return {
    meanTemperature: mean(weather, (day) => (day.high + day.low) / 2),
    hottest: greatest(weather, (day) => day.high),
    coldest: negated(greatest(weather, (day) => -day.low)),
    precipitation: sum(weather, (day) => day.precipitation),
    wetDays: weather.filter((day) => day.precipitation > 0).length,
    windiest: greatest(weather, (day) => day.wind),
    days: weather.length,
  };
}

export function monthsOf(weather: Weather): readonly Month[] {
  const months = new Map<number, WeatherDay[]>();
  for (const day of weather) {
    const date = new Date(day.date);
    const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    const days = months.get(start);
    if (days === undefined) months.set(start, [day]);
    else days.push(day);
  }
  return [...months].map(([start, days]) => ({
    start,
    meanHigh: mean(days, (day) => day.high),
    meanLow: mean(days, (day) => day.low),
    precipitation: sum(days, (day) => day.precipitation),
  }));
}

/** The earliest day with the greatest value. */
function greatest(weather: Weather, of: (day: WeatherDay) => number): Extreme {
  let best: Extreme = { value: of(weather[0]), date: weather[0].date };
  for (const day of weather) {
    if (of(day) > best.value) best = { value: of(day), date: day.date };
  }
  return best;
}

const negated = ({ value, date }: Extreme): Extreme => ({ value: -value, date });

const sum = (days: readonly WeatherDay[], of: (day: WeatherDay) => number): number =>
  days.reduce((total, day) => total + of(day), 0);

const mean = (days: readonly WeatherDay[], of: (day: WeatherDay) => number): number => sum(days, of) / days.length;
