/**
 * The entry `lastgood`: the WebAssembly module lies beside it.
 *
 * @module
 */

import { openWith } from './open.js';
import type { Datasets, Feed, OpenOptions } from './types.js';
import { fileOrScript } from './wasm.js';

export { LastgoodError, type ErrorDetails } from './errors.js';
export type * from './types.js';

/**
 * Opens a feed: loads the WebAssembly module once per page. Makes no request to the feed.
 *
 * @param url the feed's directory, http or https, without query and fragment; a slash is added at the end; relative
 * addresses are resolved against the page
 * @throws {LastgoodError} `invalid-url`, `invalid-options`, `wasm`
 */
export function open<D extends Datasets = Datasets>(
  url: string | URL,
  options?: OpenOptions<D>,
): Promise<Feed<D>> {
  // In this form, literal and in one piece, the address is understood by Vite, webpack, Rspack, Parcel and Turbopack.
  const file = () => new URL('lastgood_reader_bg.wasm', import.meta.url);
  return openWith(() => fileOrScript(file, () => import('./inline-reader.js')), url, options);
}
