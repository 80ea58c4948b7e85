import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../src/shape/numbers.js';
import type { Numbers } from '../../../src/types.js';

/** A value together with the JSON text that stands for it; `large` is what becomes of integers beyond ±(2^53 − 1). */
type Node =
  | { kind: 'token'; text: string }
  | { kind: 'large'; digits: string }
  | { kind: 'string'; text: string }
  | { kind: 'array'; items: Node[] }
  | { kind: 'object'; members: [name: string, value: Node][] };

const SPACES = ['', ' ', '\n', '\t\r\n '];

const large = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 2n ** 53n, max: 10n ** 40n }))
  .map(([negative, value]): Node => ({ kind: 'large', digits: `${negative ? '-' : ''}${value}` }));

const token = fc
  .oneof(
    fc.constantFrom('null', 'true', 'false', '-0', '0', '1e20', '1E+400', '-1.5e-7', '0.12345678901234567890'),
    fc.constantFrom('9007199254740991', '-9007199254740991', '9000000000000000', '12345678901234567890.5'),
    fc.constantFrom('12345678901234567890e2', '12345678901234567890.0', '1700000000000000'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => String(value).replace(/^(-?\d{16,})$/, '$1.0')),
    fc.maxSafeInteger().map(String),
  )
  .map((text): Node => ({ kind: 'token', text }));

/** Strings that look like what is around them, and like the marks that the rewriting makes. */
const stringText = fc
  .array(
    fc.oneof(
      fc.constantFrom('\\"', '\\\\', '\\ue000', '\\uE000', '\ue000', '12345678901234567890', ',', ':', '[', ' ', '\\n'),
      fc.string({ maxLength: 3 }).map((text) => JSON.stringify(text).slice(1, -1)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => `"${parts.join('')}"`);

const name = fc.oneof(stringText, fc.constantFrom('"__proto__"', '"constructor"', '"1"', '""'));

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    token,
    large,
    stringText.map((text): Node => ({ kind: 'string', text })),
    fc.array(tie('node'), { maxLength: 4 }).map((items): Node => ({ kind: 'array', items })),
    fc
      .array(fc.tuple(name, tie('node')), { maxLength: 4 })
      .map((members): Node => ({ kind: 'object', members: members as [string, Node][] })),
  ),
}));

function textOf(at: Node, space: string): string {
  const spaced = (text: string): string => `${space}${text}${space}`;
  switch (at.kind) {
    case 'large':
      return spaced(at.digits);
    case 'array':
      return spaced(`[${at.items.map((item) => textOf(item, space)).join(',')}]`);
    case 'object':
      return spaced(`{${at.members.map(([key, value]) => `${spaced(key)}:${textOf(value, space)}`).join(',')}}`);
    default:
      return spaced(at.text);
  }
}

/** What should come out, made without the code under test. */
function valueOf(at: Node, numbers: Numbers): unknown {
  switch (at.kind) {
    case 'large':
      return numbers === 'bigint' ? BigInt(at.digits) : numbers === 'string' ? at.digits : Number(at.digits);
    case 'array':
      return at.items.map((item) => valueOf(item, numbers));
    case 'object': {
      const object = {};
      for (const [key, value] of at.members) {
        Object.defineProperty(object, JSON.parse(key) as string, {
          value: valueOf(value, numbers),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return object;
    }
    default:
      return JSON.parse(at.text);
  }
}

/** Tells apart what `toStrictEqual` does not: it stumbles over members named `constructor` or `__proto__`. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join()}]`;
  if (typeof value !== 'object' || value === null) {
    return `${typeof value} ${Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : value}`;
  }
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  return `{${Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${shown(member)}`).join()}}`;
}

describe.each<Numbers>(['number', 'bigint', 'string'])('numbers: %s', (numbers) => {
  test('makes of every document what it says', () => {
    fc.assert(
      fc.property(node, fc.constantFrom(...SPACES), (document, space) => {
        expect(shown(parse(textOf(document, space), numbers))).toBe(shown(valueOf(document, numbers)));
      }),
      { numRuns: 3000 },
    );
  });

  test('refuses what JSON.parse refuses, with the same words', () => {
    const large = '12345678901234567890';
    const broken = ['', `[${large}`, `{${large}:1}`, `{ ${large} : 1}`, `[${large} 1]`, `"${large}`];
    for (const text of broken) {
      let expected: unknown;
      try {
        JSON.parse(text);
      } catch (error) {
        expected = error;
      }
      expect(() => parse(text, numbers)).toThrow(expected as Error);
    }
  });
});

test('a member named __proto__ is a member like any other', () => {
  const value = parse('{"__proto__": {"id": 12345678901234567890}}', 'bigint') as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual({ id: 12345678901234567890n });
});

test('a long text of many strings and escapes is no problem', () => {
  const row = (at: number) => `{"name":"\\"\\ue000${at}\\\\","id":${2n ** 60n + BigInt(at)}}`;
  const rows = Array.from({ length: 50_000 }, (_, at) => row(at));
  const value = parse(`[${rows.join(',')}]`, 'bigint') as { name: string; id: bigint }[];
  expect(value.length).toBe(50_000);
  expect(value[49_999]).toEqual({ name: '"\ue00049999\\', id: 2n ** 60n + 49_999n });
});
