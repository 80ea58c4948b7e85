/**
 * The shapes that the views are written for. A payload that lastgood verified is what was published; whether it is what
 * this page expects is decided here, once, at the boundary.
 */

export interface WeatherDay {
  /** Midnight of the day, in milliseconds since the epoch, UTC. */
  readonly date: number;
  /** Millimetres. */
  readonly precipitation: number;
  /** Degrees Celsius. */
  readonly high: number;
  /** Degrees Celsius. */
  readonly low: number;
  /** Metres per second. */
  readonly wind: number;
  readonly weather: string;
}

/** At least one day, in ascending order. */
export type Weather = readonly [WeatherDay, ...WeatherDay[]];

export interface Flight {
  /** The scheduled departure as the airport's clock shows it, in milliseconds as if it were UTC. */
  readonly scheduled: number;
  /** Minutes behind schedule; negative when early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** A payload is not what this page was written for. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(where: string, expected: string, found: unknown) {
    super(`${where}: expected ${expected}, found ${describe(found)}`);
  }
}

export function parseWeather(payload: unknown): Weather {
  const days = rows(payload)
    .map((row) => ({
      date: field(row, 'date', day),
      precipitation: field(row, 'precipitation', number),
      high: field(row, 'temp_max', number),
      low: field(row, 'temp_min', number),
      wind: field(row, 'wind', number),
      weather: field(row, 'weather', text),
    }))
    .sort((a, b) => a.date - b.date);
  const [first, ...rest] = days;
  if (first === undefined) throw new ShapeError('the payload', 'at least one row', payload);
  return [first, ...rest];
}

export function parseFlights(payload: unknown): readonly Flight[] {
  return rows(payload).map((row) => ({
    scheduled: field(row, 'date', minute),
    delay: field(row, 'delay', number),
    distance: field(row, 'distance', number),
    origin: field(row, 'origin', text),
    destination: field(row, 'destination', text),
  }));
}

/** The publisher's notes that are text; anything else in `meta` is not for this page. */
export function textNotes(meta: unknown): readonly (readonly [name: string, value: string])[] {
  if (!isRecord(meta)) return [];
  return Object.entries(meta).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

interface Row {
  readonly where: string;
  readonly value: Record<string, unknown>;
}

interface Kind<T> {
  readonly expected: string;
  /** `undefined` when the value is not of this kind. */
  readonly parse: (value: unknown) => T | undefined;
}

const number: Kind<number> = {
  expected: 'a number',
  parse: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined),
};

const text: Kind<string> = {
  expected: 'a string',
  parse: (value) => (typeof value === 'string' ? value : undefined),
};

const day: Kind<number> = {
  expected: 'a date (YYYY-MM-DD)',
  parse: (value) => (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? time(value) : undefined),
};

const minute: Kind<number> = {
  expected: 'a local time (YYYY-MM-DDThh:mm:ss)',
  parse: (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(value) ? time(`${value}Z`) : undefined,
};

function time(value: string): number | undefined {
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function rows(payload: unknown): readonly Row[] {
  if (!Array.isArray(payload)) throw new ShapeError('the payload', 'an array of rows', payload);
  return payload.map((value: unknown, index) => {
    const where = `row ${index + 1}`;
    if (!isRecord(value)) throw new ShapeError(where, 'an object', value);
    return { where, value };
  });
}

function field<T>(row: Row, name: string, kind: Kind<T>): T {
  const found = row.value[name];
  const parsed = kind.parse(found);
  if (parsed === undefined) throw new ShapeError(`${row.where}, ${name}`, kind.expected, found);
  return parsed;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object') return 'an object';
  const shown = String(value);
  return `${typeof value} ${JSON.stringify(shown.length > 40 ? `${shown.slice(0, 40)}…` : shown)}`;
}
