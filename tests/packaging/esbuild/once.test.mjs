// What a page imports from several entries of the package is in its bundle once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { build } from 'esbuild';

/** The bundle of a page that uses these entries, minified, without what the package itself gets from others. */
async function bundle(...entries) {
  const contents = entries.map((entry, index) => `import * as e${index} from '${entry}'; console.log(e${index});`);
  const { outputFiles } = await build({
    stdin: { contents: contents.join('\n'), resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    // Without the module, beside which the core would not count.
    conditions: ['production'],
    external: ['react', '@tanstack/query-core', '*/inline-reader.js'],
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0].contents.length;
}

const core = await bundle('lastgood');

for (const adapter of ['lastgood/react', 'lastgood/tanstack']) {
  test(`${adapter} does not bring the core along`, async () => {
    assert.ok((await bundle(adapter)) < core / 4);
  });

  test(`${adapter} shares it with the page`, async () => {
    for (const entry of ['lastgood', 'lastgood/inline']) {
      const together = await bundle(entry, adapter);
      assert.ok(together < (await bundle(entry)) + core / 4, `${entry} and ${adapter}: ${together} bytes`);
    }
  });
}
