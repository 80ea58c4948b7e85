/**
 * The value that the page itself brought, as a reading.
 *
 * @module
 */

import type { FallbackReading } from './types.js';

export function fallbackReading(
  dataset: string,
  data: unknown,
  reason: FallbackReading['reason'],
  detail: string | null,
): FallbackReading {
  return {
    data,
    dataset,
    source: 'initial',
    fresh: false,
    reason,
    detail,
    generation: null,
    sha256: null,
    publishedAt: null,
    ageMs: null,
    checkedAt: null,
    meta: null,
    schemaVersion: null,
    cachedIn: null,
  };
}
