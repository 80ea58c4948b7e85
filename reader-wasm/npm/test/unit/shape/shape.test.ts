import { type } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { versions } from '../../../src/shape/migrate.js';
import { Values, type Payload } from '../../../src/shape/shape.js';
import { isStandardSchema } from '../../../src/shape/standard.js';
import type { Shape, StandardSchemaV1 } from '../../../src/types.js';

function payload(text: string, { sha256 = text, schemaVersion = null as number | null } = {}): Payload {
  return { dataset: 'sales', sha256, schemaVersion, text, data: JSON.parse(text) as unknown };
}

/** The code and the message of the refusal. */
async function refusal(value: Promise<unknown>): Promise<{ code: string; message: string; cause?: unknown }> {
  const error = await value.then(
    (data) => expect.fail(`expected a refusal, found ${JSON.stringify(data)}`),
    (refused: unknown) => refused,
  );
  expect(error).toMatchObject({ name: 'LastgoodError', dataset: 'sales' });
  return error as { code: string; message: string; cause?: unknown };
}

describe('migrate', () => {
  const trail: Shape = {
    version: 4,
    migrate: {
      1: (value) => [...(value as string[]), '1 to 2'],
      2: (value) => [...(value as string[]), '2 to 3'],
      3: (value) => [...(value as string[]), '3 to 4'],
    },
  };

  test('leads from every older version to that of the page, in order', async () => {
    for (let schemaVersion = 1; schemaVersion <= 4; schemaVersion += 1) {
      const all = ['1 to 2', '2 to 3', '3 to 4'];
      expect(await new Values().get(payload('[]', { schemaVersion }), trail)).toEqual(all.slice(schemaVersion - 1));
    }
  });

  test('reads from the oldest version that every step leads from', () => {
    const step = (value: unknown) => value;
    expect(versions(trail)).toEqual({ oldest: 1, newest: 4 });
    expect(versions({ version: 4 })).toEqual({ oldest: 4, newest: 4 });
    expect(versions({ version: 4, migrate: { 3: step, 1: step, 7: step } })).toEqual({ oldest: 3, newest: 4 });
    expect(versions({ version: 1, migrate: { 0: step } })).toEqual({ oldest: 0, newest: 1 });
    expect(versions({ migrate: { 1: step } })).toBeNull();
  });

  test('a page that asks for no version takes any', async () => {
    for (const schemaVersion of [null, 1, 9]) {
      expect(await new Values().get(payload('[1]', { schemaVersion }), { migrate: trail.migrate! })).toEqual([1]);
    }
  });

  test('tells which step threw, and what', async () => {
    const cause = new TypeError('no such column');
    const fails: Shape = {
      version: 3,
      migrate: {
        1: (value) => value,
        2: () => {
          throw cause;
        },
      },
    };
    const error = await refusal(new Values().get(payload('[]', { schemaVersion: 1 }), fails));
    expect(error).toMatchObject({ code: 'migration-failed', cause });
    expect(error.message).toContain('from version 2 of sales to version 3');
  });

  test('a step may change what it gets: it is nobody else’s', async () => {
    const values = new Values();
    const one = payload('{"rows": [1]}', { schemaVersion: 1 });
    const plain = await values.get(one, {});
    const changes: Shape = {
      version: 2,
      migrate: { 1: (value) => ((value as { rows: number[] }).rows.push(2), value) },
    };
    expect(await values.get(one, changes)).toEqual({ rows: [1, 2] });
    expect(plain).toEqual({ rows: [1] });
  });
});

describe('Standard Schema', () => {
  const schemas: Record<string, { rows: StandardSchemaV1; dates: StandardSchemaV1<unknown, Date> }> = {
    zod: {
      rows: z.array(z.object({ 'a/b~c': z.number() })),
      dates: z.string().transform((day) => new Date(day)),
    },
    valibot: {
      rows: v.array(v.object({ 'a/b~c': v.number() })),
      dates: v.pipe(
        v.string(),
        v.transform((day) => new Date(day)),
      ),
    },
    arktype: {
      rows: type({ 'a/b~c': 'number' }).array(),
      dates: type('string').pipe((day) => new Date(day)) as StandardSchemaV1<unknown, Date>,
    },
    'an asynchronous one': {
      rows: z.array(z.object({ 'a/b~c': z.number().refine(async () => true) })),
      dates: z.string().transform(async (day) => new Date(day)),
    },
  };

  describe.each(Object.entries(schemas))('%s', (_, { rows, dates }) => {
    test('is recognised', () => {
      expect(isStandardSchema(rows)).toBe(true);
    });

    test('lets through what it describes', async () => {
      expect(await new Values().get(payload('[{"a/b~c": 1}]'), { schema: rows })).toEqual([{ 'a/b~c': 1 }]);
    });

    test('gives its output', async () => {
      expect(await new Values().get(payload('"2026-11-20"'), { schema: dates })).toEqual(new Date('2026-11-20'));
    });

    test('tells where the value is wrong, as JSON Pointers', async () => {
      const error = await refusal(new Values().get(payload('[{"a/b~c": 1}, {"a/b~c": "x"}]'), { schema: rows }));
      expect(error.code).toBe('schema-invalid');
      expect(error.message).toContain('at /1/a~1b~0c: ');
      expect(error.cause).toHaveLength(1);
    });
  });

  test('tells ten issues and how many more there are', async () => {
    const error = await refusal(
      new Values().get(payload(JSON.stringify(Array(13).fill({}))), { schema: schemas['zod']!.rows }),
    );
    expect(error.message.match(/at \//g)).toHaveLength(10);
    expect(error.message).toMatch(/; 3 more$/);
  });

  test('sees the value after the migration', async () => {
    const shape: Shape = { version: 2, migrate: { 1: Number }, schema: z.number() };
    expect(await new Values().get(payload('"7"', { schemaVersion: 1 }), shape)).toBe(7);
  });

  test('a validator that throws has not agreed', async () => {
    const cause = new Error('defect');
    const throws: StandardSchemaV1 = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw cause;
        },
      },
    };
    expect(await refusal(new Values().get(payload('1'), { schema: throws }))).toMatchObject({
      code: 'schema-invalid',
      cause,
    });
  });

  test.each([null, 1, 'zod', {}, () => 1, { '~standard': { version: 2, validate: () => 1 } }, { '~standard': null }])(
    'is not %s',
    (given) => {
      expect(isStandardSchema(given)).toBe(false);
    },
  );
});

describe('the same value', () => {
  test('is the same object, for every shape its own, until the bytes change', async () => {
    const values = new Values();
    const schema = z.array(z.number());
    const step = (value: unknown) => value;
    // Each made anew, as the literals in a component are.
    const shapes: (() => Shape)[] = [
      () => ({}),
      () => ({ numbers: 'string' }),
      () => ({ schema }),
      () => ({ version: 2, migrate: { 1: step } }),
    ];
    const get = (text: string) =>
      Promise.all(shapes.map((shape) => values.get(payload(text, { schemaVersion: 1 }), shape())));
    const first = await get('[1]');
    const second = await get('[1]');
    first.forEach((value, at) => expect(second[at]).toBe(value));
    expect(new Set(first).size).toBe(shapes.length);
    const third = await get('[2]');
    third.forEach((value, at) => expect(value).not.toBe(first[at]));
  });

  test('is made once for calls at the same time', async () => {
    const values = new Values();
    let validated = 0;
    const schema = z.array(z.number()).refine(() => ++validated > 0);
    const all = await Promise.all(Array.from({ length: 9 }, () => values.get(payload('[1]'), { schema })));
    expect(new Set(all).size).toBe(1);
    expect(validated).toBe(1);
  });

  test('is refused again without being looked at again, and the one before is still there', async () => {
    const values = new Values();
    let validated = 0;
    const schema = z.number().refine(() => ++validated > 0);
    const good = await values.get(payload('1'), { schema });
    const refusals = [];
    for (let poll = 0; poll < 3; poll += 1) {
      refusals.push(await refusal(values.get(payload('"bad"'), { schema })));
      expect(await values.get(payload('1'), { schema })).toBe(good);
    }
    expect(new Set(refusals).size).toBe(1);
    expect(validated).toBe(1);
  });

  test('is not kept for longer than it is handed out', async () => {
    const values = new Values();
    const numbers = 'bigint';
    const [one, two] = ['[9007199254740993]', '[9007199254740995]'];
    const before = await values.get(payload(one), { numbers });
    expect(await values.get(payload(one), { numbers })).toBe(before);
    await values.get(payload(two), { numbers });
    expect(await values.get(payload(one), { numbers })).not.toBe(before);
  });

  test('is not kept in ever more shapes, as a page asks that makes its schemas anew each time', async () => {
    const values = new Values();
    const inShape = (schema: StandardSchemaV1) => values.get(payload('[1]'), { schema });
    const schemas = Array.from({ length: 5 }, () => z.array(z.number()));
    const [first] = await Promise.all(schemas.map(inShape));
    expect(await inShape(schemas[0]!)).not.toBe(first);
  });

  test('the same bytes under another version of the schema are not the same', async () => {
    const values = new Values();
    const shape: Shape = { version: 2, migrate: { 1: () => 'migrated' } };
    expect(await values.get(payload('"as it is"', { schemaVersion: 2 }), shape)).toBe('as it is');
    expect(await values.get(payload('"as it is"', { schemaVersion: 1 }), shape)).toBe('migrated');
  });

  test('is never that of another shape or other bytes, in whatever order they come', async () => {
    const shapes: Shape[] = [{}, { numbers: 'bigint' }, { numbers: 'string' }, { schema: z.any() }, { version: 1 }];
    const wanted = (text: string, { numbers }: Shape) =>
      numbers === 'bigint' ? BigInt(text) : numbers === 'string' ? text : Number(text);
    const call = fc.tuple(fc.constantFrom('9007199254740993', '9007199254740995'), fc.constantFrom(...shapes));
    await fc.assert(
      fc.asyncProperty(fc.array(call), async (calls) => {
        const values = new Values();
        await Promise.all(
          calls.map(async ([text, shape]) => {
            expect(await values.get(payload(text, { schemaVersion: 1 }), shape)).toBe(wanted(text, shape));
          }),
        );
      }),
    );
  });
});
