import { Schema } from 'lastgood_reader';

import { bytesOf, type Payload } from './payload.js';

/** What the core is told of a value that was validated: nothing when all is well. */
export type Verdict = { invalid?: string; unsupported?: string };

/** The published schemas that this page has seen, by digest; each is compiled once. */
export class Schemas {
  readonly #texts = new Map<string, string>();
  readonly #compiled = new Map<string, Schema | string>();

  /** The size in bytes of a schema that is here. */
  size(sha256: string): number | null {
    const text = this.#texts.get(sha256);
    return text === undefined ? null : new TextEncoder().encode(text).length;
  }

  /** Adds a schema under the digest that was computed from its bytes. */
  add({ sha256, text }: Payload): void {
    if (typeof text === 'string') this.#texts.set(sha256, text);
  }

  /** Validates a payload against a schema that is here. */
  async check(payload: Payload, sha256: string): Promise<Verdict> {
    const schema = this.#schema(sha256);
    if (typeof schema === 'string') return { unsupported: schema };
    const invalid = schema.violations(await bytesOf(payload));
    return invalid === undefined ? {} : { invalid };
  }

  #schema(sha256: string): Schema | string {
    let schema = this.#compiled.get(sha256);
    if (schema === undefined) {
      try {
        schema = new Schema(this.#texts.get(sha256) ?? '');
      } catch (problem) {
        schema = String(problem);
      }
      this.#compiled.set(sha256, schema);
    }
    return schema;
  }
}
