/** What is known about a dataset on this page. */

import type { ErrorCode, Reading } from 'lastgood';

/** Every reason that this page can give: those of lastgood, and its own. */
export type Code = ErrorCode | 'unexpected-shape' | 'unknown';

/** Where the data on the page came from and when; everything of a reading but the payload. */
export interface Provenance {
  /** `page`: kept in this page's memory, because neither the feed nor the stored copy could be had. */
  readonly source: Reading['source'] | 'page';
  readonly generation: number;
  readonly sha256: string;
  readonly publishedAt: string;
  readonly meta: unknown;
  /** How old the data was at `readAt`, in milliseconds. */
  readonly ageMs: number;
  /** When it was read, by the page's own clock. */
  readonly readAt: number;
}

export interface Failure {
  readonly code: Code;
  /** For the operator. */
  readonly detail: string | null;
}

export type State =
  | { readonly kind: 'loading' }
  | { readonly kind: 'fresh'; readonly shown: Provenance }
  /** A commit is in progress; the copy before it is shown. */
  | { readonly kind: 'updating'; readonly shown: Provenance; readonly why: Failure }
  /** The last good copy is shown, because something failed. */
  | { readonly kind: 'cached'; readonly shown: Provenance; readonly why: Failure }
  /** Nothing can be shown but what an earlier reading on this page may have left. */
  | { readonly kind: 'failed'; readonly shown: Provenance | null; readonly why: Failure };

export type Kind = State['kind'];

/** The state after a reading whose data the page understood. */
export function afterReading(reading: Reading, readAt: number): State {
  const { source, generation, sha256, publishedAt, meta, ageMs } = reading;
  const shown: Provenance = { source, generation, sha256, publishedAt, meta, ageMs, readAt };
  if (reading.fresh) return { kind: 'fresh', shown };
  const why: Failure = { code: reading.reason ?? 'unknown', detail: reading.detail };
  return { kind: why.code === 'locked' ? 'updating' : 'cached', shown, why };
}

/** The state after a reading that failed, or whose data the page did not understand. */
export function afterFailure(why: Failure, before: State): State {
  const shown = before.kind === 'loading' ? null : before.shown;
  // What this page already shows was verified when it was read, and is as good as a stored copy. A new shape is no passing
  // trouble, though: this page will not understand the next generation either.
  if (shown === null || why.code === 'unexpected-shape') return { kind: 'failed', shown, why };
  return { kind: 'cached', shown: { ...shown, source: 'page' }, why };
}

const WORST_FIRST: readonly Kind[] = ['failed', 'cached', 'loading', 'updating', 'fresh'];

/** The state of the whole page: that of the dataset that is worst off. */
export function overall(kinds: readonly Kind[]): Kind {
  return WORST_FIRST.find((kind) => kinds.includes(kind)) ?? 'loading';
}
