import type { Head } from '../read/core.js';

/** An entry that may be removed to make room. */
export interface Candidate {
  readonly headKey: string;
  /** Nothing when it is damaged or not there, so that the payload is of no use to anyone. */
  readonly head: Head | null;
}

/**
 * The entries to remove, one after the other, until there is room for `needed` bytes.
 *
 * Least recently used first; those of no use before all. There are no more of them than make twice the room: when that does not help,
 * others hold the space, and removing more would only lose what is cached.
 */
export function* inOrder<C extends Candidate>(candidates: readonly C[], needed: number): Generator<C> {
  // RFC 3339 in UTC with a fixed number of digits: the order of the texts is that of the times.
  const usedAt = ({ head }: Candidate) => head?.used_at ?? '';
  const sorted = [...candidates].sort((a, b) => (usedAt(a) < usedAt(b) ? -1 : usedAt(a) > usedAt(b) ? 1 : 0));
  let freed = 0;
  for (const candidate of sorted) {
    if (freed / 2 >= needed) return;
    yield candidate;
    freed += candidate.head?.size ?? 0;
  }
}
