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
  /** Reads it; the manifest and the lock marker come from `responses`. `asksLock`: whether the marker is asked for at any rate. */
  readonly read: (responses: SharedResponses, signal: AbortSignal, asksLock: boolean) => Promise<Value>;
  /** Whether the next look is to ask for the lock marker. */
  readonly wantsLock: () => boolean;
  /** What the page has of it already, for the beginning; `null` when there is nothing. */
  readonly held: () => Value | null;
  /** The verified copies, for the beginning; `null` when there are none. */
  readonly copies: ((signal: AbortSignal) => Promise<Value | null>) | null;
  /** The value as of now, as the last look at the feed says. */
  readonly judge: (value: Value) => Value;
  /** The same, when it could not be read anew because of `error`; `null` when it must not be shown any more. */
  readonly keep: (value: Value, error: LastgoodError) => Value | null;
  readonly onChecking: (checking: boolean) => void;
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
  /** What was told last; `null` when nothing was. */
  #last: Value | LastgoodError | null = null;
  /** The value that was told last, as it was told. */
  #shown: Value | null = null;
  /** The looks under way, and what was told of them. */
  #looks = 0;
  #toldChecking = false;
  /** Whether something was read: from then on the page's own `fallback` has had its time. */
  #hasRead = false;
  #verdict: Verdict | null = null;

  constructor(subject: Subject, clock: Clock) {
    this.intervalMs = subject.intervalMs;
    this.#subject = subject;
    this.#clock = clock;
    const { fallback, onValue } = subject;
    const held = subject.held();
    if (held) this.#last = held;
    else void this.#beginWithCopies();
    // Later, so that the callback can use what `watch` returns.
    queueMicrotask(() => {
      if (this.ended) return;
      if (held && this.#last === held) this.#tell(held);
      else if (fallback !== null && !held) call(() => onValue(fallback('pending', null)));
    });
  }

  /** Tells the copies, unless a look has been faster. */
  async #beginWithCopies(): Promise<void> {
    const copies = await this.#subject.copies?.(this.#end.signal);
    if (copies && !this.ended && this.#last === null) this.#become(copies);
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
  async look(responses: SharedResponses, heard: boolean, asksLock: boolean): Promise<boolean> {
    this.#checking(1);
    const outcome = await this.#read(responses, asksLock);
    this.#checking(-1);
    if (this.ended || outcome === null) return false;
    const reasons = reasonsOf(outcome);
    if (heard && reasons.includes('regressed')) return false;
    this.#become(outcome);
    this.#verdict = this.#judge(outcome, reasons);
    return true;
  }

  /** Whether the next look is to ask for the lock marker on its account. */
  get wantsLock(): boolean {
    return this.#subject.wantsLock();
  }

  /** Whether it was found to be locked. */
  get isLocked(): boolean {
    return this.#verdict?.kind === 'locked';
  }

  /** Tells what the last look at the feed says of what is shown, whoever asked for that look. */
  rejudge(): void {
    if (this.ended || this.#shown === null || this.#last instanceof LastgoodError) return;
    this.#become(this.#subject.judge(this.#shown));
  }

  /** What was shown must not be shown again, unless it is read anew. */
  forget(): void {
    this.#last = null;
    this.#shown = null;
  }

  /** Takes an outcome for the last one, and tells what is new of it. */
  #become(outcome: Value | LastgoodError): void {
    this.#subject.saw(outcome);
    const before = this.#last;
    this.#last = outcome;
    if (outcome instanceof LastgoodError && this.#shown !== null) this.#keep(this.#shown, outcome);
    if (!this.ended && (before === null || !isSame(before, outcome))) this.#tell(outcome);
  }

  /** What is shown stays, but is not fresh; or it must go. */
  #keep(shown: Value, error: LastgoodError): void {
    const kept = this.#subject.keep(shown, error);
    this.#shown = kept;
    if (kept && !isSame(shown, kept)) call(() => this.#subject.onValue(kept));
  }

  /** Later, because a look may begin before `watch` has returned; and once, for a look that has ended by then. */
  #checking(by: 1 | -1): void {
    this.#looks += by;
    queueMicrotask(() => {
      const checking = this.#looks > 0;
      if (this.ended || checking === this.#toldChecking) return;
      this.#toldChecking = checking;
      call(() => this.#subject.onChecking(checking));
    });
  }

  async #read(responses: SharedResponses, asksLock: boolean): Promise<Value | LastgoodError | null> {
    try {
      return await this.#subject.read(responses, this.#end.signal, asksLock);
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
      this.#shown = outcome;
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
