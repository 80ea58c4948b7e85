/**
 * The entry `lastgood/inline`: the WebAssembly module is part of the script, for bundlers and test runners that do not take
 * files along. A quarter larger, and compiled anew in every visit. In Node it is also what `lastgood` leads to: some bundlers give
 * the module an address on the site, which their own server cannot fetch.
 *
 * @module
 */

import { openWith } from './open.js';
import module from './inline-reader.js';
import type { Datasets, Declared, Feed, OpenOptions, ShapesOf } from './types.js';
import type { Origins } from './wasm.js';

export { LastgoodError, type ErrorDetails } from './errors.js';
export type * from './types.js';

/**
 * Opens a feed: compiles the WebAssembly module once per page. Asks for the manifest and the lock marker
 * meanwhile; the first read takes the answers.
 *
 * The types of the data come from the schemas in the option `datasets`, or from the type argument: with
 * `open<{ series: Row[] }>('/data/')`, the feed takes no other names than those in it.
 *
 * @param url the feed's directory, http or https, without query and fragment; a slash is added at the end; relative
 * addresses are resolved against the page
 * @throws {LastgoodError} `invalid-url`, `invalid-options`, `wasm`
 */
export function open<D extends Datasets>(
  url: string | URL,
  options: OpenOptions<D> & { datasets: D & Datasets },
): Promise<Feed<D>>;
export function open(url: string | URL, options?: OpenOptions): Promise<Feed>;
export function open<T extends object>(
  url: string | URL,
  options?: Omit<OpenOptions, 'datasets'> & { datasets?: ShapesOf<T> },
): Promise<Feed<Declared<T>>>;
export function open(url: string | URL, options?: object): Promise<unknown> {
  return openWith(ORIGINS, url, options);
}

const ORIGINS: Origins = {
  reader: () => module,
  // Most feeds have no schemas, so it is a script of its own.
  validator: async () => (await import('./inline-validator.js')).default,
};
