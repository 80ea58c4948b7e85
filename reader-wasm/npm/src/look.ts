/**
 * Whether a reading is fresh: the one place that tells. It is while the last look at the feed succeeded, was not longer ago than the
 * interval allows, and its manifest names the value. Everything else is not, with the reason of that look.
 *
 * @module
 */

import type { ReasonCode, Reading } from './types.js';
import type { Clock } from './watch/clock.js';

/** How a look at the feed went, whoever asked for it. */
export interface Look {
  /** When the manifest was answered, by this device's clock. */
  readonly at: number;
  /** Why there is no present manifest. */
  readonly failure: { readonly code: ReasonCode; readonly detail: string } | null;
}

/** What may be said of a reading. */
type Verdict = Pick<Reading, 'fresh' | 'reason' | 'detail'>;

const FRESH: Verdict = { fresh: true, reason: null, detail: null };
const LONG_AGO: Verdict = {
  fresh: false,
  reason: 'checking',
  detail: 'the feed was last looked at longer ago than the interval allows',
};
const CHANGED: Verdict = { fresh: false, reason: 'checking', detail: 'the feed has changed; this is the value from before' };

/** What the last manifest may name, and still is not to be taken for current. */
const IN_SPITE: ReadonlySet<ReasonCode | null> = new Set<ReasonCode | null>([
  'locked',
  'expired',
  // What was refused stays so until it is read again: another schema may come with the same bytes.
  'wrong-kind',
  'schema-invalid',
  'schema-unsupported',
  'schema-newer',
  'schema-older',
  'schema-missing',
  'migration-failed',
]);

/** What a feed's last look needs to know. */
export interface Known {
  readonly clock: Pick<Clock, 'now' | 'wall'>;
  /** Whether the manifest that was accepted last names what was read. */
  readonly names: (reading: Reading) => boolean;
  /** How long ago the last look may be, in milliseconds. */
  readonly allowedMs: () => number;
}

/** The last look at a feed, and what it says of what was read before. */
export class LastLook {
  readonly #known: Known;
  #look: Look | null = null;
  /** When it ended, by both clocks: one may stand still while the device sleeps, the other may be set. */
  #ended = { now: 0, wall: 0 };
  /** What a reading was before it was judged. */
  readonly #before = new WeakMap<Reading, Reading>();

  constructor(known: Known) {
    this.#known = known;
  }

  /** Takes a look that has ended. One that began before the last one says nothing new. */
  saw(look: Look): boolean {
    const { clock } = this.#known;
    const wall = clock.wall();
    // A clock that was set back does not make every look an old one.
    if (this.#look !== null && look.at < this.#look.at && this.#look.at <= wall) return false;
    this.#look = look;
    this.#ended = { now: clock.now(), wall };
    return true;
  }

  /** Nothing is known any more. */
  forget(): void {
    this.#look = null;
  }

  /** The reading as of now; the same object when nothing else is to be said of it. */
  judge<R extends Reading>(reading: R): R {
    const before = (this.#before.get(reading) ?? reading) as R;
    const { fresh, reason, detail } = this.#verdict(before);
    const is = (other: Reading): boolean => other.fresh === fresh && other.reason === reason && other.detail === detail;
    if (is(reading)) return reading;
    if (is(before)) return before;
    return this.restate(before, { fresh, reason, detail });
  }

  /** The same reading, of which something else is to be said. */
  restate<R extends Reading>(reading: R, { fresh, reason, detail }: Verdict): R {
    const before = this.#before.get(reading) ?? reading;
    const source = member(sourceOf(before, { fresh, reason }));
    const said = { source, fresh: member(fresh), reason: member(reason), detail: member(detail) };
    // With its getters: where the copy is kept is known when it is looked at.
    const restated = Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(before), ...said }) as R;
    this.#before.set(restated, before);
    return restated;
  }

  #verdict(reading: Reading): Verdict {
    if (this.#look === null) return reading;
    const { failure } = this.#look;
    if (failure !== null) return { fresh: false, reason: failure.code, detail: failure.detail };
    if (this.#isLongAgo()) return LONG_AGO;
    if (IN_SPITE.has(reading.reason)) return reading;
    if (this.#known.names(reading)) return FRESH;
    return reading.reason === null ? CHANGED : reading;
  }

  #isLongAgo(): boolean {
    const { clock, allowedMs } = this.#known;
    const agoMs = Math.max(clock.now() - this.#ended.now, clock.wall() - this.#ended.wall);
    return agoMs > allowedMs();
  }
}

/** What is said anew of a value is said of the one at hand. */
function sourceOf({ source }: Reading, { fresh, reason }: Pick<Verdict, 'fresh' | 'reason'>): Reading['source'] {
  if (fresh) return source === 'fallback' ? 'cache' : source;
  return reason === 'checking' || reason === 'locked' ? 'cache' : 'fallback';
}

function member(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}
