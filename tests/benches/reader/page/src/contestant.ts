/** A row of the benchmark's datasets. */
export interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export type Rows = readonly Flight[];

/** One of several ways to do the same work. */
export interface Contestant {
  /** Once, before anything is measured. */
  setup?(): Promise<unknown> | void;
  /** Before each run, not measured. */
  before?(): Promise<unknown> | void;
  /** The work, measured. Resolves with how many rows it came to, so that nothing is compared that has not been done. */
  run(): Promise<number>;
}

/** Contestants by name. */
export type Comparison = Readonly<Record<string, Contestant>>;

/** As a first visit: nothing out of the HTTP cache, for lastgood and everything else alike. */
export const coldFetch: typeof fetch = (input, init) => fetch(input, { ...init, cache: 'reload' });

export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`expected ${what}`);
}
