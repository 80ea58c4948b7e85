/**
 * Options into types. What is misspelt or of a wrong kind is refused: an option that has no effect is found late.
 *
 * @module
 */

import { LastgoodError } from './errors.js';
import { isStandardSchema } from './shape/standard.js';
import type { FeedEvent, LockPolicy, Numbers, RequestOptions, Shape } from './types.js';
import { MAX_TIMER_MS } from './watch/clock.js';

const LOCK_POLICIES: readonly LockPolicy[] = ['cache', 'wait', 'ignore'];
const NUMBERS: readonly Numbers[] = ['number', 'bigint', 'string'];
const CACHED = ['first', 'fallback'] as const;
const CACHES = ['auto', 'localStorage', 'none'] as const;

/** How patiently to read. */
export interface Patience {
  readonly lock: LockPolicy;
  readonly lockWaitMs: number;
  readonly timeoutMs: number;
  readonly maxAge: number | null;
  /** How long the call waits before it takes the copy; `null` for as long as the look takes. */
  readonly within: number | null;
  /** When the copy is handed out; `null` where each kind of call has its own. */
  readonly cached: 'first' | 'fallback' | null;
}

/** The options of `open`, checked and complete. */
export interface FeedOptions {
  readonly patience: Patience;
  /** What the page knows of the datasets, by name. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** The datasets that are asked for at once. */
  readonly preload: readonly string[];
  readonly cache: (typeof CACHES)[number];
  readonly maxBytes: number;
  readonly init: RequestOptions | ((url: string) => RequestOptions | Promise<RequestOptions>);
  readonly fetch: typeof fetch | null;
  readonly onEvent: ((event: FeedEvent) => void) | null;
  readonly debug: boolean;
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly shareTabs: boolean | string;
}

/** The options of one call, checked and complete. */
export interface CallOptions {
  readonly patience: Patience;
  readonly signal: AbortSignal | null;
}

/** The options of a read of one dataset, checked and complete. */
export interface ReadOptions extends CallOptions {
  /** Nothing for several datasets, each of which has that which `open` was told. */
  readonly shape: Shape | undefined;
  /** Whether the call brings a shape of its own. */
  readonly ownShape: boolean;
  /** The value that the page brought, in a list of its own, because it may be any value; empty when it brought none. */
  readonly fallback: readonly unknown[];
}

/** The options of one watch, checked and complete. */
export interface WatchCallOptions extends ReadOptions {
  readonly intervalMs: number;
  readonly onError: ((error: LastgoodError) => void) | null;
  readonly onChecking: ((checking: boolean) => void) | null;
}

const PATIENCE = ['lock', 'lockWaitMs', 'timeoutMs', 'maxAge', 'within', 'cached'] as const;
const SHAPE = ['version', 'migrate', 'schema', 'validate', 'numbers'] as const;
const CALL = ['signal', ...PATIENCE];
const READ = [...CALL, 'fallback', ...SHAPE];

export function parseOpenOptions(given: unknown): FeedOptions {
  const watching = ['intervalMs', 'minIntervalMs', 'shareTabs'];
  const known = ['wasm', 'cache', 'maxBytes', 'init', 'fetch', 'onEvent', 'debug', 'datasets', 'preload', 'validator', ...watching, ...PATIENCE];
  const options = new Options(given, known);
  const init = options.take('init', 'request options or a function', (value) => isFunction(value) || isObject(value)) ?? {};
  return {
    patience: patience(options, { lock: 'cache', lockWaitMs: 10_000, timeoutMs: 10_000, maxAge: null, within: null, cached: null }),
    shapes: shapes(options.take('datasets', 'an object with a shape under each name', isObject)),
    preload: options.take('preload', 'a list of dataset names', isTexts) ?? [],
    cache: options.choice('cache', CACHES) ?? 'auto',
    maxBytes: options.number('maxBytes', 1, Number.MAX_SAFE_INTEGER) ?? 64 * 2 ** 20,
    init: isFunction<Exclude<FeedOptions['init'], RequestOptions>>(init) ? init : parseRequestOptions(init, 'the object'),
    fetch: options.take('fetch', 'a function', isFunction<typeof fetch>) ?? null,
    onEvent: options.take('onEvent', 'a function', isFunction<(event: FeedEvent) => void>) ?? null,
    debug: options.take('debug', 'true or false', isBoolean) ?? false,
    intervalMs: options.number('intervalMs', 1, MAX_TIMER_MS) ?? 30_000,
    minIntervalMs: options.number('minIntervalMs', 1, MAX_TIMER_MS) ?? 1_000,
    shareTabs: options.take('shareTabs', 'true, false or a text', isBooleanOrText) ?? true,
  };
}

/** Request options that leave alone what is lastgood's own; `where` they were found, for people. */
export function parseRequestOptions(given: unknown, where: string): RequestOptions {
  if (!isObject(given)) refuse(`option "init": expected request options, found ${describe(given)} in ${where}`);
  const own = ['signal', 'cache', 'method', 'body'].find((name) => given[name] !== undefined);
  if (own !== undefined) refuse(`option "init": leave out "${own}" in ${where}: it is for lastgood to decide`);
  try {
    new Headers(given['headers'] as HeadersInit | undefined);
  } catch (problem) {
    refuse(`option "init": the headers in ${where} cannot be sent: ${describe(problem)}`);
  }
  return given;
}

/** The options of a call; `defaults` are those of `open`. */
export function parseCallOptions(given: unknown, defaults: Patience): CallOptions {
  return callOptions(new Options(given, CALL), defaults);
}

/** The options of a read of one dataset; `defaults` are those of `open`, `known` is what it was told of the dataset. */
export function parseReadOptions(given: unknown, defaults: Patience, known: Shape | undefined): ReadOptions {
  return readOptions(new Options(given, READ), defaults, known ?? {});
}

/** The options of a watch; `defaults` are those of `open`, `known` is what it was told of the dataset: nothing for several. */
export function parseWatchOptions(given: unknown, defaults: FeedOptions, known: Shape | undefined): WatchCallOptions {
  const options = new Options(given, ['intervalMs', 'onError', 'onChecking', ...(known ? READ : CALL)]);
  return {
    ...readOptions(options, defaults.patience, known),
    intervalMs: options.number('intervalMs', 1, MAX_TIMER_MS) ?? defaults.intervalMs,
    onError: options.take('onError', 'a function', isFunction<(error: LastgoodError) => void>) ?? null,
    onChecking: options.take('onChecking', 'a function', isFunction<(checking: boolean) => void>) ?? null,
  };
}

function readOptions(options: Options, defaults: Patience, known: Shape | undefined): ReadOptions {
  const fallback = options.take('fallback', 'a value', () => true);
  return {
    ...callOptions(options, defaults),
    shape: known && shape(options, known),
    ownShape: SHAPE.some((name) => options.has(name)),
    fallback: fallback === undefined ? [] : [fallback],
  };
}

function callOptions(options: Options, defaults: Patience): CallOptions {
  // By its members, not by its class: the signal of another frame is of another class.
  const isSignal = (value: unknown): value is AbortSignal =>
    typeof (value as Partial<AbortSignal> | null)?.aborted === 'boolean';
  return {
    patience: patience(options, defaults),
    signal: options.take('signal', 'an AbortSignal', isSignal) ?? null,
  };
}

function patience(options: Options, defaults: Patience): Patience {
  return {
    lock: options.choice('lock', LOCK_POLICIES) ?? defaults.lock,
    lockWaitMs: options.number('lockWaitMs', 0, MAX_TIMER_MS) ?? defaults.lockWaitMs,
    timeoutMs: options.number('timeoutMs', 1, MAX_TIMER_MS) ?? defaults.timeoutMs,
    maxAge: options.number('maxAge', 0, Number.MAX_SAFE_INTEGER) ?? defaults.maxAge,
    within: options.number('within', 0, MAX_TIMER_MS) ?? defaults.within,
    cached: options.choice('cached', CACHED) ?? defaults.cached,
  };
}

function shapes(datasets: Record<string, unknown> = {}): ReadonlyMap<string, Shape> {
  const parsed = Object.entries(datasets).map(([name, given]) => {
    const known = new Options(given, SHAPE, `of "${name}" in "datasets"`);
    return [name, shape(known)] as const;
  });
  return new Map(parsed);
}

/** What is given, and what is `known` without it. */
function shape(options: Options, known: Shape = {}): Shape {
  const isVersion = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isSteps = (value: unknown) => isObject(value) && Object.values(value).every(isFunction);
  const given: { [O in keyof Shape]: Shape[O] | undefined } = {
    version: options.take('version', 'a whole number', isVersion),
    migrate: options.take('migrate', 'an object with a function under each version', isSteps),
    schema: options.take('schema', STANDARD_SCHEMA, isStandardSchema, whatIsNoSchema),
    validate: options.take('validate', 'true or false', isBoolean),
    numbers: options.choice('numbers', NUMBERS),
  };
  // What is left out must not stand before what `open` was told.
  const all: Shape = { ...known, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  if (all.migrate && all.version === undefined) {
    const newest = Math.max(0, ...Object.keys(all.migrate).map((from) => Number(from) + 1));
    options.refuse('migrate', `leads nowhere without "version", the version that the page was written for: add version: ${newest}`);
  }
  return all;
}

const STANDARD_SCHEMA = 'a Standard Schema, such as one of zod, valibot or arktype';

/** What a value is that is no Standard Schema, as far as that can be told. */
function whatIsNoSchema(value: unknown): string {
  if (!isObject(value)) return '';
  if (['_def', '_type'].some((member) => member in value)) {
    return ', a schema of a library that does not speak Standard Schema: update it (zod from 3.24, valibot from 1.0, arktype from 2.0)';
  }
  const isJsonSchema = ['$schema', 'properties', 'items', 'type'].some((member) => member in value);
  return isJsonSchema ? ', a JSON Schema: publish it with the data, "lastgood publish --schema FILE", and it is checked without this option' : '';
}

/** An object with known options only, or none at all. */
export class Options {
  readonly #given: Record<string, unknown>;
  readonly #where: string;

  /** `where`: of what they are options, for people. */
  constructor(given: unknown, known: readonly string[], where = '') {
    this.#where = where && ` ${where}`;
    if (given !== undefined && given !== null && typeof given !== 'object') {
      refuse(`expected an object with options${this.#where}, found ${describe(given)}`);
    }
    this.#given = (given ?? {}) as Record<string, unknown>;
    for (const name of Object.keys(this.#given)) {
      if (known.includes(name)) continue;
      refuse(`there is no option "${name}"${this.#where || ' here'}; there are: ${known.join(', ')}`);
    }
  }

  /** Whether it was given. */
  has(name: string): boolean {
    return this.#given[name] !== undefined;
  }

  /** One of some words. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const expected = choices.map((choice) => `"${choice}"`).join(' or ');
    return this.take(name, expected, (value): value is T => choices.some((choice) => choice === value));
  }

  /** A number within bounds, without its fraction. */
  number(name: string, least: number, most: number): number | undefined {
    const isWithin = (value: unknown): value is number => typeof value === 'number' && value >= least && value <= most;
    const taken = this.take(name, `a number from ${least} to ${most}`, isWithin);
    return taken === undefined ? undefined : Math.trunc(taken);
  }

  /** What `fits`; nothing when the option is left out. `hint` may say more of what does not. */
  take<T>(
    name: string,
    expected: string,
    fits: ((value: unknown) => value is T) | ((value: unknown) => boolean),
    hint: (value: unknown) => string = () => '',
  ) {
    const value = this.#given[name];
    if (value === undefined) return undefined;
    if (!fits(value)) this.refuse(name, `expected ${expected}, found ${describe(value)}${hint(value)}`);
    return value as T;
  }

  refuse(name: string, problem: string): never {
    return refuse(`option "${name}"${this.#where}: ${problem}`);
  }
}

function isFunction<T>(value: unknown): value is T {
  return typeof value === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isBooleanOrText(value: unknown): value is boolean | string {
  return isBoolean(value) || typeof value === 'string';
}

function refuse(message: string): never {
  throw new LastgoodError(message, { code: 'invalid-options' });
}

/** Something that was given or thrown, as text for people. Texts are quoted, so that `"5"` does not look like a number. */
export function describe(value: unknown): string {
  try {
    return typeof value === 'string' ? `"${value}"` : String(value);
  } catch {
    return 'something that has no text';
  }
}
