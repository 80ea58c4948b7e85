import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

import Ajv from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { defineConfig } from 'vite';

/** What ajv makes of the schema ahead of time, as sites do whose policy forbids `eval`. */
const compiledSchema = {
  name: 'compiled-schema',
  resolveId: (id) => (id === 'virtual:flights' ? `\0${id}` : null),
  load(id) {
    if (id !== '\0virtual:flights') return null;
    const schema = JSON.parse(readFileSync(new URL('flights.schema.json', import.meta.url), 'utf8'));
    // As in lastgood, and as the draft says by default: `format` is an annotation.
    const ajv = new Ajv({ code: { source: true, esm: true }, validateFormats: false });
    return standaloneCode(ajv, ajv.compile(schema));
  },
};

/** Compressed files beside the others, as a site would have them. */
const compressed = {
  name: 'compressed',
  writeBundle({ dir }, bundle) {
    for (const name of Object.keys(bundle)) {
      const path = join(dir, name);
      writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
    }
  },
};

// Where `cargo xtask bench reader` puts lastgood's core and what it is compared with.
const modules = process.env.LASTGOOD_BENCH_MODULES ?? '../../../../target/bench/modules';

export default defineConfig({
  base: './',
  resolve: { alias: { modules: resolve(modules) } },
  plugins: [compiledSchema, compressed],
  build: {
    modulePreload: false,
    // The module is a file that is fetched and compiled, as on most sites.
    assetsInlineLimit: 0,
    rollupOptions: { input: ['bench.html', 'endurance.html', 'first-lastgood.html', 'first-script.html'] },
  },
});
