import type { Shape } from '../types.js';
import { migrate, steps } from './migrate.js';
import { parse } from './numbers.js';
import { validate } from './standard.js';

/** A verified payload of a version that the shape reads, which the published schema has been asked about already. */
export interface Payload {
  readonly dataset: string;
  readonly sha256: string;
  /** The version of the published schema; `null` without one. */
  readonly schemaVersion: number | null;
  readonly text: string | Blob;
  /** What `JSON.parse` made of the text. Others have it too. */
  readonly data: unknown;
}

interface Made {
  readonly sha256: string;
  readonly schemaVersion: number | null;
  readonly shape: Shape;
  readonly value: Promise<unknown>;
}

/**
 * In how many shapes one dataset is kept. A page has one or two; one whose every call brings new functions has ever
 * more.
 */
const SHAPES = 4;

/**
 * The values of one feed's datasets. Each is made once for a shape, so that whoever asks again gets the same object.
 */
export class Values {
  /** By dataset, what was asked for last at the end. */
  readonly #made = new Map<string, readonly Made[]>();

  /**
   * The value in a shape: parsed, migrated, validated by the page's own schema. What was refused is refused again
   * without being tried again: the same bytes would fare no better.
   *
   * @throws {LastgoodError} `migration-failed`, `schema-invalid`
   */
  get(payload: Payload, shape: Shape): Promise<unknown> {
    const { dataset, sha256, schemaVersion } = payload;
    const known = this.#of(dataset).find((made) => isSame(made, payload, shape));
    const made = known ?? { sha256, schemaVersion, shape, value: make(payload, shape) };
    this.#keep(dataset, made);
    if (!known) made.value.then(() => this.#forgetBefore(dataset, made), () => {});
    return made.value;
  }

  #of(dataset: string): readonly Made[] {
    return this.#made.get(dataset) ?? [];
  }

  #keep(dataset: string, made: Made): void {
    this.#made.set(dataset, [...this.#of(dataset).filter((other) => other !== made), made].slice(-SHAPES));
  }

  /** Only now, because the value before is handed out as long as this one may be refused. */
  #forgetBefore(dataset: string, made: Made): void {
    const others = this.#of(dataset).filter((other) => other === made || !sameShape(other.shape, made.shape));
    this.#made.set(dataset, others);
  }
}

async function make(payload: Payload, shape: Shape): Promise<unknown> {
  const { dataset, schemaVersion, text, data } = payload;
  const numbers = shape.numbers ?? 'number';
  const through = steps(schemaVersion, shape);
  // Steps may change what they get, so it is parsed for them alone.
  const own = through.length > 0 || numbers !== 'number';
  const given = own ? parse(typeof text === 'string' ? text : await text.text(), numbers) : data;
  const value = migrate(dataset, given, through);
  return shape.schema ? validate(dataset, value, shape.schema) : value;
}

function isSame(made: Made, payload: Payload, shape: Shape): boolean {
  return (
    made.sha256 === payload.sha256 && made.schemaVersion === payload.schemaVersion && sameShape(made.shape, shape)
  );
}

/**
 * Whether two shapes make the same of every payload, as far as can be told: their functions and schemas are the same
 * objects.
 */
function sameShape(a: Shape, b: Shape): boolean {
  return (
    a.version === b.version &&
    a.schema === b.schema &&
    (a.numbers ?? 'number') === (b.numbers ?? 'number') &&
    sameSteps(a.migrate ?? {}, b.migrate ?? {})
  );
}

function sameSteps(a: NonNullable<Shape['migrate']>, b: NonNullable<Shape['migrate']>): boolean {
  if (a === b) return true;
  const versions = Object.keys(a).map(Number);
  return versions.length === Object.keys(b).length && versions.every((version) => a[version] === b[version]);
}
