/**
 * The value that the page itself brought, as a reading.
 *
 * @module
 */

import type { FallbackReading, Reading } from './types.js';

/** `brought` is the value, or the reading of it that a server has made for the page. */
export function fallbackReading(
  dataset: string,
  brought: unknown,
  reason: FallbackReading['reason'],
  detail: string | null,
): FallbackReading {
  const known = isReadingOf(dataset, brought) ? brought : { ...NOTHING, data: brought, dataset };
  return { ...known, source: 'initial', fresh: false, reason, detail, cachedIn: null };
}

const NOTHING = {
  generation: null,
  sha256: null,
  publishedAt: null,
  ageMs: null,
  checkedAt: null,
  meta: null,
  schemaVersion: null,
} as const;

/** Whether it is a reading of this dataset, and not a value, which may be anything. */
export function isReadingOf(dataset: string, brought: unknown): brought is Reading {
  const { dataset: of, sha256, checkedAt, ...rest } = (brought ?? {}) as Partial<Reading>;
  return of === dataset && typeof sha256 === 'string' && typeof checkedAt === 'string' && 'data' in rest;
}
