import { LastgoodError } from '../errors.js';
import type { Shape } from '../types.js';

/** One function of `migrate`. */
export interface Step {
  readonly from: number;
  readonly run: (value: unknown) => unknown;
}

/**
 * The steps from the version that was published (`null`: without a schema) to the page's, the oldest first; none when the value has
 * the page's version already, or the page asks for none.
 *
 * @throws {LastgoodError} `schema-missing`, `schema-newer`, `schema-older`
 */
export function steps(dataset: string, published: number | null, { version, migrate }: Shape): readonly Step[] {
  if (version === undefined) return [];
  const refuse = (code: 'schema-missing' | 'schema-newer' | 'schema-older', problem: string): never => {
    throw new LastgoodError(problem, { code, dataset });
  };
  if (published === null) {
    const way = `publish it with --schema and --schema-version ${version}, or leave out "version"`;
    return refuse('schema-missing', `this page wants version ${version} of ${dataset}, which has no schema: ${way}`);
  }
  const difference = `this page wants version ${version} of ${dataset}, and found version ${published}`;
  if (published > version) return refuse('schema-newer', `${difference}: reload the page, or update it`);
  const found: Step[] = [];
  for (let from = published; from < version; from += 1) {
    const run = migrate?.[from];
    if (run === undefined) return refuse('schema-older', `${difference}: "migrate" has no step from version ${from}`);
    found.push({ from, run });
  }
  return found;
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
      const problem = `the step of "migrate" from version ${from} of ${dataset} to version ${from + 1} failed: ${cause}`;
      throw new LastgoodError(problem, { code: 'migration-failed', dataset, cause });
    }
  }, value);
}
