/**
 * Tells when datasets cease to be fresh, and when they are again.
 *
 * @module
 */

import { LastgoodError } from './errors.js';
import type { Tell } from './events.js';
import type { ReasonCode, Reading } from './types.js';

/** What is known of the datasets of one feed. */
export class Freshness {
  readonly #tell: Tell;
  readonly #now: () => number;
  /** For each dataset that was fresh once: since when it is not, `null` when it is. */
  readonly #staleSince = new Map<string, number | null>();
  #regressed = false;

  /** `now` only rises. */
  constructor(tell: Tell, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Takes how a read of `datasets` ended. */
  saw(datasets: readonly string[], outcome: readonly Reading[] | LastgoodError): void {
    if (!(outcome instanceof LastgoodError)) {
      for (const { dataset, reason, detail } of outcome) this.#see(dataset, reason, detail ?? '');
    } else if (outcome.code === 'too-old') {
      const { reading } = outcome;
      if (reading) this.#see(reading.dataset, reading.reason, reading.detail ?? '');
    } else if (isReason(outcome)) {
      for (const dataset of datasets) this.#see(dataset, outcome.code, outcome.message);
    }
  }

  #see(dataset: string, reason: ReasonCode | null, detail: string): void {
    this.#seeRegressed(reason, detail);
    const since = this.#staleSince.get(dataset);
    if (reason === null) {
      this.#staleSince.set(dataset, null);
      if (typeof since !== 'number') return;
      this.#tell({ type: 'recovered', dataset, staleMs: Math.round(this.#now() - since) });
    } else if (since === null && reason !== 'checking') {
      this.#staleSince.set(dataset, this.#now());
      this.#tell({ type: 'stale', dataset, reason, detail });
    }
  }

  /** Once for all datasets, until a manifest has been accepted again. */
  #seeRegressed(reason: ReasonCode | null, detail: string): void {
    if (reason === 'regressed' && !this.#regressed) this.#tell({ type: 'regressed', detail });
    if (reason === 'regressed') this.#regressed = true;
    if (reason === null || reason === 'locked') this.#regressed = false;
  }
}

/** What the page itself has done says nothing of the dataset. */
export function isReason(error: LastgoodError): error is LastgoodError & { readonly code: ReasonCode } {
  const others = ['aborted', 'closed', 'invalid-name', 'invalid-url', 'invalid-options', 'wasm', 'internal', 'too-old'];
  return !others.includes(error.code);
}
