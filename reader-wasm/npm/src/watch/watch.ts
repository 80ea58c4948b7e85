/** One watch: what it was told last, and what it is told next. */

import { LastgoodError } from '../errors.js';
import type { ErrorCode, FallbackReading, Reading } from '../types.js';
import type { Clock } from './clock.js';
import type { Verdict } from './poller.js';
import type { SharedResponses } from './responses.js';

/** What can be handed out: the reading of a dataset, or those of several that belong together, by name. */
export type Value = Reading | { readonly [dataset: string]: Reading };

/** What is watched, and who is told. */
export interface Subject {
  readonly intervalMs: number;
  readonly maxAge: number | null;
  /** Reads it; the manifest and the lock marker come from `responses`. */
  readonly read: (responses: SharedResponses, signal: AbortSignal) => Promise<Value>;
  /** Called after each look, whether it has found anything new or not. */
  readonly saw: (outcome: Value | LastgoodError) => void;
  readonly onValue: (value: Value | FallbackReading) => void;
  readonly onError: (error: LastgoodError) => void;
  /** The value that the page itself brought, as a reading; `null` when it brought none. */
  readonly fallback: ((reason: FallbackReading['reason'], detail: string | null) => FallbackReading) | null;
  /** Called once when the watch has ended, by whatever. */
  readonly onEnd: () => void;
}

/** With these the server has answered as it should; asking more or less often helps nothing. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not-found',
  'expired',
  'wrong-kind',
  'schema-invalid',
  'schema-unsupported',
  'schema-newer',
  'schema-older',
  'schema-missing',
  'migration-failed',
  'too-large',
  'invalid-name',
  'invalid-options',
]);

export class Watch {
  readonly intervalMs: number;
  readonly #subject: Subject;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  /** What was told last; `null` before the end of the first look. */
  #last: Value | LastgoodError | null = null;
  /** Whether something was read: from then on the page's own `fallback` has had its time. */
  #hasRead = false;
  #verdict: Verdict | null = null;

  constructor(subject: Subject, clock: Clock) {
    this.intervalMs = subject.intervalMs;
    this.#subject = subject;
    this.#clock = clock;
    const { fallback, onValue } = subject;
    if (fallback === null) return;
    // Later, so that the callback can use what `watch` returns.
    queueMicrotask(() => {
      if (!this.ended) call(() => onValue(fallback('pending', null)));
    });
  }

  get ended(): boolean {
    return this.#end.signal.aborted;
  }

  /** What it found last; `null` before the end of the first look. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** Ends it: nobody is called any more, and what is being read for it alone is called off. */
  end(): void {
    if (this.ended) return;
    this.#end.abort();
    call(this.#subject.onEnd);
  }

  /**
   * Takes part in a look, and resolves with whether that said anything. It does not when the watch has ended, or when
   * what was `heard` from another tab is older than what this one has seen since.
   */
  async look(responses: SharedResponses, heard: boolean): Promise<boolean> {
    const outcome = await this.#read(responses);
    if (this.ended || outcome === null) return false;
    const reasons = reasonsOf(outcome);
    if (heard && reasons.includes('regressed')) return false;
    this.#subject.saw(outcome);
    const before = this.#last;
    this.#last = outcome;
    if (before === null || !isSame(before, outcome)) this.#tell(outcome);
    this.#verdict = this.#judge(outcome, reasons);
    return true;
  }

  async #read(responses: SharedResponses): Promise<Value | LastgoodError | null> {
    try {
      return await this.#subject.read(responses, this.#end.signal);
    } catch (error) {
      if (error instanceof LastgoodError) return error;
      if (!this.ended) report(error);
      return null;
    }
  }

  #tell(outcome: Value | LastgoodError): void {
    const { fallback, onValue, onError } = this.#subject;
    if (!(outcome instanceof LastgoodError)) {
      this.#hasRead = true;
      return call(() => onValue(outcome));
    }
    if (fallback !== null && !this.#hasRead) call(() => onValue(fallback(outcome.code, outcome.message)));
    if (!this.ended) call(() => onError(outcome));
  }

  #judge(outcome: Value | LastgoodError, reasons: readonly (ErrorCode | null)[]): Verdict {
    if (reasons.includes('locked')) return { kind: 'locked' };
    const tooOldAt = outcome instanceof LastgoodError ? null : this.#tooOldAt(outcome);
    if (reasons.every((reason) => reason === null || ANSWERED.has(reason))) return { kind: 'answered', tooOldAt };
    const retryAfterMs = outcome instanceof LastgoodError ? outcome.retryAfterMs : null;
    return { kind: 'failed', tooOldAt, retryAfterMs };
  }

  /** When the readings become older than `maxAge`. */
  #tooOldAt(value: Value): number | null {
    const { maxAge } = this.#subject;
    if (maxAge === null) return null;
    const confirmed = Math.min(...readingsOf(value).map(({ checkedAt }) => Date.parse(checkedAt)));
    // One more, because exactly `maxAge` is not too old yet.
    return this.#clock.now() + confirmed + maxAge + 1 - this.#clock.wall();
  }
}

/** Why it is not fresh, for each of its readings. */
function reasonsOf(outcome: Value | LastgoodError): readonly (ErrorCode | null)[] {
  if (!(outcome instanceof LastgoodError)) return readingsOf(outcome).map(({ reason }) => reason);
  return [outcome.code === 'too-old' ? (outcome.reading?.reason ?? null) : outcome.code];
}

/** The readings in what is handed out. */
export function readingsOf(value: Value): readonly Reading[] {
  return isReading(value) ? [value] : Object.values(value);
}

function isReading(value: Value): value is Reading {
  return typeof value['dataset'] === 'string';
}

/**
 * Whether there is nothing new to tell. `source` does not count, because the second reading of a download comes from
 * the cache; nor `generation`, which rises with every other dataset of the feed; nor times of checking, which always
 * change.
 */
function isSame(before: Value | LastgoodError, after: Value | LastgoodError): boolean {
  if (before instanceof LastgoodError || after instanceof LastgoodError) {
    const both = before instanceof LastgoodError && after instanceof LastgoodError;
    return both && before.code === after.code && before.message === after.message;
  }
  const [olds, news] = [readingsOf(before), readingsOf(after)];
  return news.every((reading, index) => {
    const old = olds[index];
    return old !== undefined && TOLD.every((member) => old[member] === reading[member]);
  });
}

/**
 * What a callback is told of. `publishedAt` stands for `meta` and `schemaVersion` too, which come with a publish
 * alone.
 */
const TOLD = ['data', 'sha256', 'fresh', 'reason', 'detail', 'publishedAt'] as const satisfies readonly (keyof Reading)[];

/** Calls into the app, whose mistakes are its own. */
function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    report(error);
  }
}

/** Shows a mistake where the page's others are shown. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
}
