import { LastgoodError } from '../../../src/errors.js';
import type { ErrorCode, Feed, Reading } from '../../../src/types.js';

interface Watching {
  /** Of several datasets, their names with commas. */
  readonly name: string;
  readonly options: { signal?: AbortSignal; onError?: (error: LastgoodError) => void; [option: string]: unknown };
  readonly callback: (value: Reading & Record<string, Reading>) => void;
}

/** A feed whose watches say what a test tells them to. */
export class ScriptedFeed {
  /** Every watch ever begun. */
  readonly begun: Watching[] = [];
  refreshed = 0;

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

  async refresh(): Promise<void> {
    this.refreshed += 1;
  }

  tell(name: string, data: unknown, more: Partial<Reading> = {}): void {
    this.#call(name, reading(name, data, more));
  }

  /** Tells whoever watches all of these together. */
  tellAll(datasets: Record<string, Reading>): void {
    this.#call(Object.keys(datasets).join(), datasets);
  }

  #call(name: string, value: Reading | Record<string, Reading>): void {
    for (const watch of this.running) if (watch.name === name) watch.callback(value as never);
  }

  fail(name: string, code: ErrorCode): void {
    for (const watch of this.running) {
      if (watch.name === name) watch.options.onError?.(new LastgoodError(`it is ${code}`, { code, dataset: name }));
    }
  }
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
