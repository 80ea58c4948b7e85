// The file of the WebAssembly module is not where the script looks for it, as behind bundlers and servers that leave it behind.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { directory, wasm } from './support/package.mjs';

const FEED = 'http://localhost/data/';
const MODULE = 'lastgood_reader_bg.wasm';
const SCRIPT = 'inline-reader.js';

/** The entry `lastgood` of a copy of the package, which nothing has been loaded from yet, and what it writes to the console. */
async function copy(t) {
  const root = await mkdtemp(join(tmpdir(), 'lastgood-module-'));
  t.after(() => rm(root, { recursive: true }));
  await cp(fileURLToPath(directory), root, { recursive: true });
  const { open } = await import(pathToFileURL(join(root, 'lastgood.js')));
  const warn = t.mock.method(console, 'warn', () => {});
  const warnings = () => warn.mock.calls.map(({ arguments: [text] }) => text);
  return { open, warnings, file: (name) => join(root, name) };
}

test('a missing file is replaced by a script, once for all, and the console says so', async (t) => {
  const { open, warnings, file } = await copy(t);
  await rm(file(MODULE));
  const feeds = await Promise.all([open(FEED), open(FEED)]);
  feeds.push(await open(FEED));
  assert.deepEqual(feeds.map((feed) => feed.url), [FEED, FEED, FEED]);
  assert.equal(warnings().length, 1);
  assert.match(warnings()[0], /^lastgood: .*ENOENT.*lastgood_reader_bg\.wasm.*'lastgood\/inline'.*"wasm"/);
});

test('so is a file that is no module, as single-page-app servers answer', async (t) => {
  for (const answer of ['<!doctype html><title>app</title>', '']) {
    const { open, warnings, file } = await copy(t);
    await writeFile(file(MODULE), answer);
    assert.equal((await open(FEED)).url, FEED);
    assert.match(warnings().join(), /lastgood_reader_bg\.wasm is no WebAssembly module/);
    t.mock.restoreAll();
  }
});

test('a file that is there is used without a word, and without the script', async (t) => {
  const { open, warnings, file } = await copy(t);
  await rm(file(SCRIPT));
  assert.equal((await open(FEED)).url, FEED);
  assert.deepEqual(warnings(), []);
});

test('a policy that refuses the module refuses it as a script too: nothing more is downloaded', async (t) => {
  const { open, warnings } = await copy(t);
  const refused = new Error('refused by the policy');
  t.mock.method(WebAssembly, 'compile', () => Promise.reject(refused));
  await assert.rejects(open(FEED), { code: 'wasm', cause: refused, message: /'wasm-unsafe-eval'/ });
  assert.deepEqual(warnings(), []);
});

test('without file and script it is the file that is told of; the next call tries again', async (t) => {
  const { open, warnings, file } = await copy(t);
  await rm(file(MODULE));
  await rm(file(SCRIPT));
  const message = /ENOENT.*lastgood_reader_bg\.wasm.*'lastgood\/inline'.*option "wasm"/;
  await assert.rejects(open(FEED), { name: 'LastgoodError', code: 'wasm', message });
  assert.deepEqual(warnings(), []);
  await writeFile(file(MODULE), wasm);
  assert.equal((await open(FEED)).url, FEED);
});

test('what the page gives itself is not replaced', async (t) => {
  const { open, warnings } = await copy(t);
  await assert.rejects(open(FEED, { wasm: 'file:///nowhere.wasm' }), { code: 'wasm' });
  assert.deepEqual(warnings(), []);
});
