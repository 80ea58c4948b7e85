import { Schema } from 'lastgood_reader';

import { bytesOf, type Payload } from './payload.js';

/** What the core is told of a value that was validated: nothing when all is well. */
export type Verdict = { invalid?: string; unsupported?: string };

/** A published schema. */
interface Known {
  readonly size: number;
  readonly text: string;
  /** Compiled, or why it cannot be; nothing before it is needed. */
  compiled?: Schema | string;
}

/** The published schemas that this page has seen, by digest; each is compiled once. */
export class Schemas {
  readonly #known = new Map<string, Known>();

  /** The size in bytes of a schema that is here. */
  size(sha256: string): number | null {
    return this.#known.get(sha256)?.size ?? null;
  }

  /** Adds a schema under the digest that was computed from its bytes. */
  add({ sha256, size, text }: Payload): void {
    if (typeof text === 'string' && !this.#known.has(sha256)) this.#known.set(sha256, { size, text });
  }

  /** Validates a payload against a schema that is here. */
  async check(payload: Payload, sha256: string): Promise<Verdict> {
    const known = this.#known.get(sha256);
    if (!known) throw new Error(`the core names a schema that it was not given: ${sha256}`);
    const schema = (known.compiled ??= compile(known.text));
    if (typeof schema === 'string') return { unsupported: schema };
    const invalid = schema.violations(await bytesOf(payload));
    return invalid === undefined ? {} : { invalid };
  }
}

function compile(text: string): Schema | string {
  try {
    return new Schema(text);
  } catch (problem) {
    return String(problem);
  }
}
