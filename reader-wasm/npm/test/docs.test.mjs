// The TypeScript in the documentation compiles against the package as it is packed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { directory } from './support/package.mjs';

const pages = fileURLToPath(new URL('../../../docs/reader/', import.meta.url));
const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));

const OPTIONS = {
  target: 'ES2022',
  module: 'NodeNext',
  lib: ['ES2023', 'DOM'],
  jsx: 'react-jsx',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  types: [],
};

/** The blocks of a page, each a module of its own. */
function blocks(page, text) {
  const found = [...text.matchAll(/^```(tsx?)\n(.*?)^```$/gms)];
  return found.map(([, extension, code], index) => ({ name: `${page}-${index + 1}.${extension}`, code }));
}

test('every block compiles', async (t) => {
  const project = await mkdtemp(join(tmpdir(), 'lastgood-docs-'));
  t.after(() => rm(project, { recursive: true }));
  await mkdir(join(project, 'node_modules'));
  for (const name of await readdir(modules)) await symlink(join(modules, name), join(project, 'node_modules', name));
  await symlink(fileURLToPath(directory), join(project, 'node_modules/lastgood'));

  const names = (await readdir(pages)).filter((name) => name.endsWith('.md'));
  const texts = await Promise.all(names.map(async (name) => blocks(name, await readFile(join(pages, name), 'utf8'))));
  const all = texts.flat();
  assert.ok(all.length >= 8, `only ${all.length} blocks in ${pages}`);
  for (const { name, code } of all) await writeFile(join(project, name), code);
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
  const config = { compilerOptions: OPTIONS, files: all.map(({ name }) => name) };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));

  const tsc = join(modules, '.bin/tsc');
  await promisify(execFile)(tsc, ['--project', project]).catch(({ stdout }) => assert.fail(stdout));
});
