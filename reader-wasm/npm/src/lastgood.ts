/**
 * The entry `lastgood`: the WebAssembly modules lie beside it.
 *
 * @module
 */

import { openWith } from './open.js';
import type { Datasets, Declared, Feed, OpenOptions, ShapesOf } from './types.js';
import { fileOrScript, type Origins } from './wasm.js';

export { LastgoodError, type ErrorDetails } from './errors.js';
export type * from './types.js';

/**
 * Opens a feed: loads the WebAssembly module once per page. Asks for the manifest and the lock marker
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

// In this form, literal and in one piece, the addresses are understood by Vite, webpack, Rspack, Parcel and Turbopack.
const ORIGINS: Origins = {
  reader: () =>
    fileOrScript(() => new URL('lastgood_reader_bg.wasm', import.meta.url), () => import('./inline-reader.js')),
  validator: () =>
    fileOrScript(() => new URL('lastgood_validator_bg.wasm', import.meta.url), () => import('./inline-validator.js')),
};
