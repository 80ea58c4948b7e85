/**
 * The readings that this page has, for those who want them at once.
 *
 * @module
 */

import type { Reading } from './types.js';

/** How many sets of datasets are held. The values are held by the module that reads anyway. */
const MAX_SETS = 64;

export class Held {
  /** What was last read together, the latest last. */
  readonly #sets = new Map<string, readonly Reading[]>();
  /** The digests of payloads that must not be shown any more. */
  readonly #dropped = new Set<string>();
  readonly #isNamed: (reading: Reading) => boolean;

  /** `isNamed`: whether the manifest that was accepted last names a reading. */
  constructor(isNamed: (reading: Reading) => boolean) {
    this.#isNamed = isNamed;
  }

  /** Takes what was read together: values in the shape that `open` was told, and no artifacts. */
  keep(readings: readonly Reading[]): void {
    if (readings.length === 0 || !this.stands(readings)) return;
    const key = keyOf(readings.map(({ dataset }) => dataset));
    const before = this.#sets.get(key);
    // Of two reads that end in another order than they began, the later one counts; of two feeds at one address, the present one.
    if (before && generationOf(before) > generationOf(readings) && before.every(this.#isNamed)) return;
    this.#sets.delete(key);
    this.#sets.set(key, readings);
    const [oldest] = this.#sets.keys();
    if (this.#sets.size > MAX_SETS && oldest !== undefined) this.#sets.delete(oldest);
  }

  /** The readings of just these datasets, in this order, of one generation. */
  get(datasets: readonly string[]): readonly Reading[] | null {
    const together = this.#sets.get(keyOf(datasets));
    const apart = datasets.map((dataset) => this.#latest(dataset));
    const composed = apart.filter((reading) => reading !== null);
    const isWhole = composed.length === datasets.length && composed.every(({ generation }) => generation === composed[0]?.generation);
    if (isWhole && (together === undefined || generationOf(composed) > generationOf(together))) return composed;
    const inOrder = datasets.map((dataset) => together?.find((reading) => reading.dataset === dataset));
    return together ? inOrder.filter((reading) => reading !== undefined) : null;
  }

  /** Drops what was made of these payloads; all without a list. */
  drop(digests: readonly string[] | null): void {
    if (digests === null) this.#sets.clear();
    for (const digest of digests ?? []) this.#dropped.add(digest);
    for (const [key, readings] of this.#sets) if (!this.stands(readings)) this.#sets.delete(key);
  }

  /** Whether none of them was dropped. */
  stands(readings: readonly Reading[]): boolean {
    return !readings.some(({ sha256 }) => this.#dropped.has(sha256));
  }

  /** The reading of a dataset that is of the latest generation; that which is current, where there is one. */
  #latest(dataset: string): Reading | null {
    const all = [...this.#sets.values()].flat().filter((reading) => reading.dataset === dataset);
    all.sort((one, other) => other.generation - one.generation);
    return all.find(this.#isNamed) ?? all[0] ?? null;
  }
}

/** Of one generation. */
function generationOf(readings: readonly Reading[]): number {
  return readings[0]?.generation ?? 0;
}

function keyOf(datasets: readonly string[]): string {
  return [...datasets].sort().join();
}
