import { LastgoodError } from '../errors.js';
import type { StandardResult, StandardSchemaV1 } from '../types.js';

type Issue = NonNullable<StandardResult<unknown>['issues']>[number];

/** How many issues the message tells. */
const TOLD = 10;

/**
 * Whether this is a validator that speaks Standard Schema: an object or, with arktype, a function.
 */
export function isStandardSchema(given: unknown): given is StandardSchemaV1 {
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null) return false;
  const standard: unknown = (given as Partial<StandardSchemaV1>)['~standard'];
  if (typeof standard !== 'object' || standard === null) return false;
  const { version, validate } = standard as Partial<StandardSchemaV1['~standard']>;
  return version === 1 && typeof validate === 'function';
}

/**
 * What the page's own validator makes of a value, at once or later as the validator does.
 *
 * @throws {LastgoodError} `schema-invalid`; its `cause` are the issues as the validator told them, or what it threw
 */
export async function validate(dataset: string, value: unknown, schema: StandardSchemaV1): Promise<unknown> {
  let result: StandardResult<unknown>;
  try {
    result = await schema['~standard'].validate(value);
  } catch (cause) {
    const problem = `the schema that this page has for ${dataset} threw instead of judging: ${cause}`;
    throw new LastgoodError(problem, { code: 'schema-invalid', dataset, cause });
  }
  if (result.issues === undefined) return result.value;
  throw new LastgoodError(`${dataset} does not match the schema of this page: ${told(result.issues)}`, {
    code: 'schema-invalid',
    dataset,
    cause: result.issues,
  });
}

function told(issues: readonly Issue[]): string {
  const list = issues.slice(0, TOLD).map((issue) => {
    const at = pointer(issue.path ?? []);
    return at === '' ? issue.message : `at ${at}: ${issue.message}`;
  });
  return [...list, ...(issues.length > TOLD ? [`${issues.length - TOLD} more`] : [])].join('; ');
}

/** The place of an issue as a JSON Pointer (RFC 6901). */
function pointer(path: NonNullable<Issue['path']>): string {
  return path
    .map((segment) => (typeof segment === 'object' ? segment.key : segment))
    .map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
