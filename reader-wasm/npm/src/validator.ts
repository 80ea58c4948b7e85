/**
 * Payloads against their published schemas: loaded when a manifest first names a schema.
 *
 * @module
 */

import init, { Schema } from 'lastgood_validator';

/** What is wrong with a payload, or with the schema; neither when all is well. */
export type Verdict = { readonly invalid?: string | undefined; readonly unsupported?: string };

/** Judges a payload by a schema, which is compiled once. */
export type Validate = (sha256: string, schema: string, payload: Uint8Array) => Verdict;

/** Compiled, or why it cannot be. */
const schemas = new Map<string, Schema | string>();

/** Makes the validator of its compiled module. */
export async function instantiate(module: WebAssembly.Module): Promise<Validate> {
  await init({ module_or_path: module });
  return (sha256, text, payload) => {
    const schema = schemas.get(sha256) ?? compile(text);
    schemas.set(sha256, schema);
    return typeof schema === 'string' ? { unsupported: schema } : { invalid: schema.violations(payload) };
  };
}

function compile(text: string): Schema | string {
  try {
    return new Schema(text);
  } catch (problem) {
    return String(problem);
  }
}
