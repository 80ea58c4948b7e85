import { copyFile } from 'node:fs/promises';

import { build } from 'esbuild';

const options = { bundle: true, outdir: 'dist', format: 'esm', logLevel: 'warning' };

await build({ ...options, entryPoints: ['src/inline.js'] });

// esbuild leaves `new URL('lastgood_reader_bg.wasm', import.meta.url)` as it is: the file goes where the bundle is.
const withFile = { ...options, conditions: ['production'], splitting: true };
await build({ ...withFile, entryPoints: ['src/copied.js'] });
await copyFile('node_modules/lastgood/lastgood_reader_bg.wasm', 'dist/lastgood_reader_bg.wasm');

// Or esbuild names the file, and the page hands its address to `open`.
await build({ ...withFile, entryPoints: ['src/file-loader.js'], loader: { '.wasm': 'file' }, publicPath: '/dist' });

// A classic script.
await build({ ...options, entryPoints: ['src/service-worker.js'], format: 'iife' });
