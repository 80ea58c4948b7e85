import { LastgoodError } from '../errors.js';
import type { Shape } from '../types.js';

/** The versions of a dataset's schema that a page can read. */
export interface Versions {
  readonly oldest: number;
  readonly newest: number;
}

/** One function of `migrate`. */
export interface Step {
  readonly from: number;
  readonly run: (value: unknown) => unknown;
}

/** From the oldest version that an unbroken row of steps leads from, to the page's own; nothing when it takes any. */
export function versions({ version, migrate }: Shape): Versions | null {
  if (version === undefined) return null;
  let oldest = version;
  while (migrate?.[oldest - 1]) oldest -= 1;
  return { oldest, newest: version };
}

/** The steps that a value of the `published` version needs, the oldest first. It is one of {@link versions}. */
export function steps(published: number | null, { version, migrate }: Shape): readonly Step[] {
  const needed: Step[] = [];
  if (version === undefined || published === null) return needed;
  for (let from = published; from < version; from += 1) {
    const run = migrate?.[from];
    if (!run) throw new Error(`the core has handed out version ${published}, and there is no step from ${from}`);
    needed.push({ from, run });
  }
  return needed;
}

/**
 * Gives the value to the first step, its result to the next. The value must be the steps' own: they may change it.
 *
 * @throws {LastgoodError} `migration-failed`, with what the step threw as its `cause`
 */
export function migrate(dataset: string, value: unknown, through: readonly Step[]): unknown {
  return through.reduce((before, { from, run }) => {
    try {
      return run(before);
    } catch (cause) {
      const problem = `the step of "migrate" from version ${from} of ${dataset} to version ${from + 1}`;
      throw new LastgoodError(`${problem} failed: ${cause}`, { code: 'migration-failed', dataset, cause });
    }
  }, value);
}
