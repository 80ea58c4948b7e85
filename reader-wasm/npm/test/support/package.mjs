// The package as it is packed, or the one in the directory LASTGOOD_TEST_PACKAGE.

import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packed = new URL('../../../../target/npm/package/', import.meta.url);
export const directory = process.env.LASTGOOD_TEST_PACKAGE
  ? new URL(`${pathToFileURL(process.env.LASTGOOD_TEST_PACKAGE)}/`)
  : packed;

/** The address of the module that the page imports. */
export const entry = new URL('lastgood.js', directory).href;

/** The bytes of the WebAssembly module: Node does not fetch file addresses. */
export const wasm = await readFile(fileURLToPath(new URL('lastgood_reader_bg.wasm', directory)));
