// What TypeScript infers, checked by tsc alone: nothing here is run.

import { QueryClient, queryOptions as tagged } from '@tanstack/react-query';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type { LastgoodError } from '../../src/errors.js';
import { open } from '../../src/lastgood.js';
import { useAge, useArtifact, useDataset, useSnapshot } from '../../src/react.js';
import type {
  ArtifactResult,
  DatasetResult,
  DatasetSuccess,
  SnapshotResult,
  UseDatasetOptions,
} from '../../src/react.js';
import { queryOptions } from '../../src/tanstack.js';
import type { AnyFeed, Declared, FallbackReading, Feed, Reading, ReadOptions } from '../../src/types.js';

interface Day {
  day: string;
  revenue: number;
}

const byZod = z.array(z.object({ day: z.string(), revenue: z.number() }));
const byValibot = v.array(v.object({ day: v.string(), revenue: v.number() }));
const byArktype = type({ day: 'string', revenue: 'number' }).array();
const toDate = z.string().transform((day) => new Date(day));

const opening = open('/data/', {
  datasets: {
    zod: { schema: byZod, version: 2, migrate: { 1: (value) => value } },
    valibot: { schema: byValibot },
    arktype: { schema: byArktype },
    date: { schema: toDate },
    plain: { numbers: 'bigint' },
  },
});
const typed = await opening;
const untyped = await open('/data/');

// From the shapes given to open.
expectTypeOf(typed.read('zod')).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(typed.read('valibot')).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(typed.read('arktype')).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(typed.read('date')).resolves.toEqualTypeOf<Reading<Date>>();
expectTypeOf(typed.read('plain')).resolves.toEqualTypeOf<Reading<unknown>>();
expectTypeOf(typed.read('other')).resolves.toEqualTypeOf<Reading<unknown>>();
expectTypeOf(typed.read('zod', { lock: 'wait' })).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(typed.snapshot(['zod', 'date'])).resolves.toEqualTypeOf<{
  readonly zod: Reading<Day[]>;
  readonly date: Reading<Date>;
}>();
typed.watch('zod', (reading) => expectTypeOf(reading).toEqualTypeOf<Reading<Day[]>>());
for await (const reading of typed.updates('date')) expectTypeOf(reading).toEqualTypeOf<Reading<Date>>();

// From the schema given to the call, also for a dataset that has a shape already.
expectTypeOf(untyped.read('x', { schema: byZod })).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(untyped.read('x', { schema: byValibot })).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(untyped.read('x', { schema: byArktype })).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(typed.read('date', { schema: byZod })).resolves.toEqualTypeOf<Reading<Day[]>>();
const held: ReadOptions<Day[]> = { schema: byZod };
expectTypeOf(untyped.read('x', held)).resolves.toEqualTypeOf<Reading<Day[]>>();
untyped.watch('x', (reading) => expectTypeOf(reading).toEqualTypeOf<Reading<Day[]>>(), { schema: byZod });

// From the caller's word.
expectTypeOf(untyped.read('x')).resolves.toEqualTypeOf<Reading<unknown>>();
expectTypeOf(untyped.read<Day[]>('x')).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(untyped.snapshot<{ x: Day[] }>(['x'])).resolves.toEqualTypeOf<{ readonly x: Reading<Day[]> }>();
untyped.watch<Day[]>('x', (reading) => expectTypeOf(reading).toEqualTypeOf<Reading<Day[]>>());

// A fallback does not change the type of the data, and cannot be forgotten in the type of the reading.
type Either<T> = Reading<T> | FallbackReading<T>;
expectTypeOf(typed.read('zod', { fallback: [] })).resolves.toEqualTypeOf<Either<Day[]>>();
expectTypeOf(untyped.read('x', { schema: byZod, fallback: [] })).resolves.toEqualTypeOf<Either<Day[]>>();
expectTypeOf(untyped.read<Day[]>('x', { fallback: [] })).resolves.toEqualTypeOf<Either<Day[]>>();
expectTypeOf(untyped.read('x', { fallback: [] })).resolves.toEqualTypeOf<Either<unknown>>();
const withFallback = { fallback: [] };
expectTypeOf(typed.read('zod', withFallback)).resolves.toEqualTypeOf<Either<Day[]>>();
typed.watch('zod', (reading) => expectTypeOf(reading).toEqualTypeOf<Either<Day[]>>(), { fallback: [] });
for await (const reading of typed.updates('date', { fallback: new Date() })) {
  expectTypeOf(reading).toEqualTypeOf<Either<Date>>();
}
// @ts-expect-error: no Day[]
untyped.read('x', { schema: byZod, fallback: 'none' });

// Components: the promise of a feed as well as a feed, and no data before it is there.
expectTypeOf(useDataset(opening, 'zod')).toEqualTypeOf<DatasetResult<Day[]>>();
expectTypeOf(useDataset(typed, 'date', { maxAge: 1 })).toEqualTypeOf<DatasetResult<Date>>();
expectTypeOf(useDataset(typed, 'date' as 'date' | null)).toEqualTypeOf<DatasetResult<Date>>();
expectTypeOf(useDataset(opening as typeof opening | null, 'date')).toEqualTypeOf<DatasetResult<Date>>();
expectTypeOf(useDataset(untyped, 'x')).toEqualTypeOf<DatasetResult<unknown>>();
expectTypeOf(useDataset<Day[]>(untyped, 'x')).toEqualTypeOf<DatasetResult<Day[]>>();
expectTypeOf(useDataset<Day[]>(typed, 'other')).toEqualTypeOf<DatasetResult<Day[]>>();
expectTypeOf(useDataset(typed, 'zod', { suspense: true })).toEqualTypeOf<DatasetSuccess<Day[]>>();
expectTypeOf(useDataset(typed, 'zod', { fallback: [] })).toEqualTypeOf<DatasetSuccess<Day[], Either<Day[]>>>();
expectTypeOf(useDataset<Day[]>(untyped, 'x', { fallback: [] })).toEqualTypeOf<DatasetSuccess<Day[], Either<Day[]>>>();
expectTypeOf(useDataset(typed, 'zod', { suspense: false })).toEqualTypeOf<DatasetResult<Day[]>>();
// A fallback of another type makes the data nothing in particular, so whatever uses it does not compile.
expectTypeOf(useDataset(typed, 'zod', { fallback: 'none' })).toEqualTypeOf<DatasetSuccess<unknown, Either<unknown>>>();
expectTypeOf(typed.read('zod', { fallback: 'none' })).resolves.toEqualTypeOf<Either<unknown>>();
expectTypeOf(useSnapshot(opening, ['zod', 'date'])).toEqualTypeOf<SnapshotResult<{ zod: Day[]; date: Date }>>();
expectTypeOf(useSnapshot<{ x: Day[] }>(untyped, ['x'])).toEqualTypeOf<SnapshotResult<{ x: Day[] }>>();
expectTypeOf(useSnapshot(typed, ['zod', 'date'], { suspense: true }).readings.date).toEqualTypeOf<Reading<Date>>();
const result = useDataset(typed, 'zod');
if (result.status === 'success') expectTypeOf(result.data).toEqualTypeOf<Day[]>();
if (result.status === 'error') expectTypeOf(result.error).toEqualTypeOf<LastgoodError>();
expectTypeOf(result.data).toEqualTypeOf<Day[] | undefined>();

// Without a fallback, a reading has everything.
expectTypeOf(useDataset(typed, 'zod', { suspense: true }).reading.publishedAt).toEqualTypeOf<string>();
if (result.status === 'success') expectTypeOf(result.reading.publishedAt).toEqualTypeOf<string>();
const perhaps: UseDatasetOptions<Day[]> = {};
expectTypeOf(useDataset(typed, 'zod', perhaps)).toEqualTypeOf<DatasetResult<Day[], Either<Day[]>>>();
expectTypeOf(useDataset<Day[]>(untyped, 'x', perhaps)).toEqualTypeOf<DatasetResult<Day[], Either<Day[]>>>();
// A fallback may be the reading that a server has made.
declare const made: Reading<Day[]>;
expectTypeOf(useDataset(typed, 'zod', { fallback: made })).toEqualTypeOf<DatasetSuccess<Day[], Either<Day[]>>>();
expectTypeOf(typed.read('zod', { fallback: made })).resolves.toEqualTypeOf<Either<Day[]>>();

// From the word of the page at open: no other names, no other types.
interface Published {
  series: Day[];
  settings: { version: number };
}
const declaring = open<Published>('/data/', { intervalMs: 5000 });
const declared = await declaring;
expectTypeOf(declared.read('series')).resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(declared.read('settings')).resolves.toEqualTypeOf<Reading<{ version: number }>>();
expectTypeOf(declared.read('series', { fallback: [] })).resolves.toEqualTypeOf<Either<Day[]>>();
expectTypeOf(declared.snapshot(['series', 'settings'])).resolves.toEqualTypeOf<{
  readonly series: Reading<Day[]>;
  readonly settings: Reading<{ version: number }>;
}>();
declared.watch('series', (reading) => expectTypeOf(reading).toEqualTypeOf<Reading<Day[]>>());
expectTypeOf(declared.held('series')).toEqualTypeOf<Reading<Day[]> | null>();
expectTypeOf(useDataset(declaring, 'series')).toEqualTypeOf<DatasetResult<Day[]>>();
expectTypeOf(useDataset(declaring as typeof declaring | null, 'series')).toEqualTypeOf<DatasetResult<Day[]>>();
expectTypeOf(useSnapshot(declared, ['settings'])).toEqualTypeOf<SnapshotResult<{ settings: { version: number } }>>();
expectTypeOf(queryOptions(declaring, 'series').queryFn).returns.resolves.toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(open<{ settings: { version: number } }>('/data/')).resolves.toEqualTypeOf<
  Feed<Declared<{ settings: { version: number } }>>
>();
open<Published>('/data/', { datasets: { series: { version: 2, migrate: { 1: (value) => value }, schema: byZod } } });
// @ts-expect-error: no such dataset
declared.read('sereis');
// @ts-expect-error: no such dataset, whatever the caller says of it
declared.read<Day[]>('sereis');
// @ts-expect-error: no such dataset
declared.snapshot(['series', 'sereis']);
// @ts-expect-error: no such dataset
declared.watch('sereis', () => {});
// @ts-expect-error: no such dataset
declared.updates('sereis');
// @ts-expect-error: no such dataset
declared.held('sereis');
// @ts-expect-error: no such dataset
void declared.prefetch(['series', 'sereis']);
// @ts-expect-error: no such dataset
useDataset(declaring, 'sereis');
// @ts-expect-error: no such dataset, whatever the caller says of it
useDataset<Day[]>(declared, 'sereis');
// @ts-expect-error: no such dataset
useSnapshot(declared, ['sereis']);
// @ts-expect-error: no such dataset
queryOptions(declaring, 'sereis');
// @ts-expect-error: no such dataset
open<Published>('/data/', { datasets: { sereis: {} } });
// @ts-expect-error: it makes something else of the dataset
open<Published>('/data/', { datasets: { series: { schema: toDate } } });
void untyped.prefetch(['series', 'anything']);
void typed.prefetch('other');

// Artifacts.
expectTypeOf(useArtifact(declared, 'chart')).toEqualTypeOf<ArtifactResult>();
expectTypeOf(useArtifact(opening, 'chart', { suspense: true }).url).toEqualTypeOf<string>();
expectTypeOf(useArtifact(untyped, 'chart').url).toEqualTypeOf<string | undefined>();
expectTypeOf(useAge(useDataset(typed, 'zod').reading)).toEqualTypeOf<number | null>();

// Any feed fits where the datasets do not matter.
declare function takesAny(feed: AnyFeed): void;
takesAny(typed);
takesAny(untyped);
takesAny(declared);

// TanStack Query.
const query = useQuery(queryOptions(opening, 'zod'));
expectTypeOf(query.data).toEqualTypeOf<Reading<Day[]> | undefined>();
expectTypeOf(query.error).toEqualTypeOf<LastgoodError | null>();
const selected = useQuery({ ...queryOptions(typed, 'zod'), select: ({ data }) => data.length });
expectTypeOf(selected.data).toEqualTypeOf<number | undefined>();
expectTypeOf(useSuspenseQuery(queryOptions<Day[]>(untyped, 'x')).data).toEqualTypeOf<Reading<Day[]>>();
expectTypeOf(new QueryClient().fetchQuery(queryOptions(typed, 'date'))).resolves.toEqualTypeOf<Reading<Date>>();
expectTypeOf(queryOptions<Day[]>(opening, 'other').queryFn).returns.resolves.toEqualTypeOf<Reading<Day[]>>();
const { queryKey } = tagged(queryOptions(typed, 'date'));
expectTypeOf(new QueryClient().getQueryData(queryKey)).toEqualTypeOf<Reading<Date> | undefined>();
