// The TypeScript in the documentation compiles against the package as it is packed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { FeedServer } from './support/feed.mjs';
import { directory, entry, wasm } from './support/package.mjs';
import { FakeStorage, install } from './support/storage.mjs';

const pages = fileURLToPath(new URL('../../../docs/reader/', import.meta.url));
const readme = fileURLToPath(new URL('../README.md', import.meta.url));
const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));

const OPTIONS = {
  target: 'ES2022',
  module: 'NodeNext',
  lib: ['ES2023', 'DOM'],
  jsx: 'react-jsx',
  allowJs: true,
  checkJs: true,
  moduleDetection: 'force',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  types: [],
};

/** What examples leave to the page, and to Workbox. */
const AMBIENT = `
declare function show(...anything: unknown[]): void;
declare function compare(...anything: unknown[]): void;
declare function registerRoute(matches: (request: { url: URL }) => boolean, handler: object): void;
declare class NetworkOnly {}
`;

/**
 * The blocks of a page, each a module of its own, without those that are marked: other tests run them, or hold them against a file, and
 * some show what not to do.
 */
function blocks(page, text) {
  const found = [...text.matchAll(/^(<!-- (?:example|not compiled): .*-->\n)?```(tsx?|js)\n(.*?)^```$/gms)];
  const unmarked = found.filter(([, mark]) => mark === undefined);
  return unmarked.map(([, , extension, code], index) => ({ name: `${page}-${index + 1}.${extension}`, code }));
}

/** The names in the first column of the tables under a heading, in code: `` `a`, `b` ``. */
function names(text, heading) {
  const [, section] = text.split(`\n## ${heading}\n`);
  assert.ok(section, `there is no heading "${heading}"`);
  const rows = section.split('\n## ')[0].matchAll(/^\| (`.*?) \|/gm);
  return [...rows].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

/** A module that compiles if the names are exactly those of a type: the compiler tells which one is missing or too many. */
function exactly(type, names) {
  return `import type * as lastgood from 'lastgood';
export const documented: Record<${type}, true> = { ${names.map((name) => `'${name}': true`).join(', ')} };
`;
}

const page = (name) => readFile(join(pages, name), 'utf8');

/** Compiles modules, in a project that has the packed package. */
async function compile(t, files) {
  const project = await mkdtemp(join(tmpdir(), 'lastgood-docs-'));
  t.after(() => rm(project, { recursive: true }));
  await mkdir(join(project, 'node_modules'));
  for (const name of await readdir(modules)) await symlink(join(modules, name), join(project, 'node_modules', name));
  await symlink(fileURLToPath(directory), join(project, 'node_modules/lastgood'));

  const all = [...files, { name: 'package.json', code: '{"type": "module"}' }];
  for (const { name, code } of all) await writeFile(join(project, name), code);
  // Not a module, whatever `moduleDetection` says: a declaration file without imports is one of globals.
  await writeFile(join(project, 'ambient.d.ts'), AMBIENT);
  const config = { compilerOptions: OPTIONS, files: [...files.map(({ name }) => name), 'ambient.d.ts'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));

  const tsc = join(modules, '.bin/tsc');
  await promisify(execFile)(tsc, ['--project', project]).catch(({ stdout }) => assert.fail(stdout));
}

test('every block compiles', async (t) => {
  // The reference is made of the declarations themselves.
  const found = (await readdir(pages)).filter((name) => name.endsWith('.md') && name !== 'api.md');
  const texts = await Promise.all(found.map(async (name) => blocks(name, await page(name))));
  const all = [...blocks('package.md', await readFile(readme, 'utf8')), ...texts.flat()];
  assert.ok(all.length >= 30, `only ${all.length} blocks in ${readme} and ${pages}`);
  await compile(t, all);
});

test('every code, event, member and option has its row', async (t) => {
  const [errors, reading] = await Promise.all([page('errors.md'), page('reading.md')]);
  const tables = {
    reasons: exactly('lastgood.ReasonCode', names(errors, 'Reasons')),
    codes: exactly('Exclude<lastgood.ErrorCode, lastgood.ReasonCode>', names(errors, 'Codes of errors alone')),
    events: exactly("lastgood.FeedEvent['type']", names(errors, 'Events')),
    members: exactly('keyof lastgood.Reading', names(await readFile(readme, 'utf8'), 'What a reading holds')),
    options: exactly(
      "keyof (lastgood.ReadOptions & lastgood.WithFallback<0>) | Exclude<keyof lastgood.OpenOptions, 'datasets'>",
      names(reading, 'Options'),
    ),
  };
  await compile(t, Object.entries(tables).map(([name, code]) => ({ name: `${name}.ts`, code })));
});

test('the lines of the debug option are those of the page', async (t) => {
  const [, documented] = /^```text\n(.*?)^```$/ms.exec(await page('debugging.md'));
  const lines = [];
  install(new FakeStorage());
  t.after(() => install(undefined));
  t.mock.method(console, 'debug', (line) => lines.push(line));
  const server = await FeedServer.start();
  server.publish({ performance: '[1]' }, { generation: 2 });
  const { open } = await import(entry);
  const feed = await open(server.url, { wasm, debug: true });
  await feed.read('performance');
  await feed.read('performance');
  assert.equal(lines.map((line) => `${line}\n`).join(''), documented.replaceAll('http://127.0.0.1:8080/data/', server.url));
});
