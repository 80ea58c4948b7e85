import { LastgoodError } from '../../../src/errors.js';
import type { ErrorCode, Feed, Reading } from '../../../src/types.js';

interface Watching {
  /** Of several datasets, their names with commas. */
  readonly name: string;
  readonly options: {
    signal?: AbortSignal;
    onError?: (error: LastgoodError) => void;
    onChecking?: (checking: boolean) => void;
    [option: string]: unknown;
  };
  readonly callback: (value: Reading & Record<string, Reading>) => void;
}

/** A feed whose watches say what a test tells them to. */
export class ScriptedFeed {
  /** Every watch ever begun. */
  readonly begun: Watching[] = [];
  refreshed = 0;
  /** What was read by others, by name. */
  readonly known = new Map<string, unknown>();
  /** Why nothing is fresh any more, as far as a test has said so. */
  outage: Reading['reason'] = null;
  readonly #looking = new Set<() => void>();
  readonly #last = new Map<string, Reading | Record<string, Reading>>();

  /** As the feed that it plays; the rest of it is not for components. */
  get feed(): Feed {
    return this as unknown as Feed;
  }

  get running(): Watching[] {
    return this.begun.filter(({ options }) => !options.signal?.aborted);
  }

  watch(what: string | readonly string[], callback: Watching['callback'], options: Watching['options']): () => void {
    const name = String(what);
    if (name === 'Not A Name') throw new LastgoodError('not a name', { code: 'invalid-name', dataset: name });
    this.begun.push({ name, callback, options });
    return () => {};
  }

  watchArtifact(name: string, callback: Watching['callback'], options: Watching['options']): () => void {
    return this.watch(name, callback, options);
  }

  async refresh(): Promise<void> {
    this.refreshed += 1;
  }

  held(what: string | readonly string[]): unknown {
    return this.known.get(String(what)) ?? null;
  }

  judge(reading: Reading): Reading {
    const { outage } = this;
    return outage === reading.reason || outage === null ? reading : { ...reading, fresh: false, reason: outage };
  }

  onLook(listener: () => void): () => void {
    this.#looking.add(listener);
    return () => this.#looking.delete(listener);
  }

  /** How many are told of looks. */
  get listening(): number {
    return this.#looking.size;
  }

  /** Somebody else's look has found the server away. */
  goAway(outage: Reading['reason']): void {
    this.outage = outage;
    for (const listener of [...this.#looking]) listener();
  }

  /** A look begins, or has ended, for whoever watches this. */
  check(name: string, checking: boolean): void {
    for (const watch of this.running) if (watch.name === name) watch.options.onChecking?.(checking);
  }

  tell(name: string, data: unknown, more: Partial<Reading> = {}): void {
    this.#call(name, reading(name, data, more));
  }

  /** Tells whoever watches all of these together. */
  tellAll(datasets: Record<string, Reading>): void {
    this.#call(Object.keys(datasets).join(), datasets);
  }

  #call(name: string, value: Reading | Record<string, Reading>): void {
    this.#last.set(name, value);
    for (const watch of this.running) if (watch.name === name) watch.callback(value as never);
  }

  /** A look ends with an error. What was told before stands, is told as not fresh, and is held, unless it is `gone`. */
  fail(name: string, code: ErrorCode, isGone = code === 'too-old'): void {
    const last = this.#last.get(name);
    if (isGone) this.known.delete(name);
    else if (last) this.known.set(name, last);
    if (last && !isGone) this.#call(name, 'dataset' in last ? stale(last as Reading, code) : mapped(last as Record<string, Reading>, code));
    for (const watch of this.running) {
      if (watch.name === name) watch.options.onError?.(new LastgoodError(`it is ${code}`, { code, dataset: name }));
    }
  }
}

function stale(reading: Reading, code: ErrorCode): Reading {
  return { ...reading, fresh: false, reason: code as Reading['reason'] };
}

function mapped(readings: Record<string, Reading>, code: ErrorCode): Record<string, Reading> {
  return Object.fromEntries(Object.entries(readings).map(([name, reading]) => [name, stale(reading, code)]));
}

export function reading(dataset: string, data: unknown, more: Partial<Reading> = {}): Reading {
  return {
    data,
    dataset,
    source: 'network',
    fresh: true,
    reason: null,
    detail: null,
    generation: 1,
    sha256: '0'.repeat(64),
    publishedAt: '2026-11-20T14:39:00.123Z',
    ageMs: 1000,
    checkedAt: '2026-11-20T14:39:01.123Z',
    meta: null,
    schemaVersion: null,
    cachedIn: 'localStorage',
    ...more,
  };
}
