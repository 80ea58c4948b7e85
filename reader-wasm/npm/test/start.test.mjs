// What is asked for while the module is loaded, the validator that is loaded when it is needed, and copies that are written afterwards.
// Each test has a process of its own, because a page loads the module once.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a script with a server, its events and `open`, in a process that has loaded nothing yet. */
async function inNewPage(script) {
  const prelude = `
    import assert from 'node:assert/strict';
    import { readFile } from 'node:fs/promises';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { FeedServer } from './support/feed.mjs';
    import { directory, entry, wasm } from './support/package.mjs';
    import { FakeStorage, install } from './support/storage.mjs';
    const { open } = await import(entry);
    const storage = new FakeStorage();
    install(() => storage);
    const server = await FeedServer.start();
    const events = [];
    const onEvent = ({ type, dataset, in: place }) => events.push([type, dataset, place].filter(Boolean).join(' '));
    const SCHEMA = { version: 1, text: '{"items": {"type": "number"}}' };
    const module = await readFile(new URL('lastgood_validator_bg.wasm', directory));
  `;
  const given = ['--input-type=module', '--eval', `${prelude}${script}\nserver.stop();`];
  await run(process.execPath, given, { cwd: import.meta.dirname });
}

test('open asks for what the first read needs, once', () =>
  inNewPage(`
    server.publish({ sales: '[1]' });
    const feed = await open(server.url, { wasm, preload: ['sales'] });
    assert.deepEqual((await feed.read('sales')).data, [1]);
    assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json', 'sales.json']);
    await feed.read('sales');
    assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
  `));

test('a read that begins later asks again', () =>
  inNewPage(`
    server.publish({ sales: '[1]' });
    const feed = await open(server.url, { wasm });
    await sleep(1_050);
    server.publish({ sales: '[2]' }, { generation: 2 });
    assert.deepEqual((await feed.read('sales')).data, [2]);
  `));

test('of what the device keeps no payload is asked for', () =>
  inNewPage(`
    server.publish({ sales: '[1]' });
    storage.setItem('lastgood:1:' + server.url + ':sales', 'something');
    const feed = await open(server.url, { wasm, preload: ['sales'] });
    await sleep(50);
    assert.deepEqual(server.takeRequests(), ['.lock', 'manifest.json']);
    feed.close();
  `));

test('a page that asks for no lock marker does not ask for it at open either', () =>
  inNewPage(`
    server.publish({ sales: '[1]' });
    const feed = await open(server.url, { wasm, lock: 'ignore' });
    await feed.read('sales');
    assert.deepEqual(server.takeRequests(), ['manifest.json', 'sales.json']);
  `));

test('closing ends what open has asked for', () =>
  inNewPage(`
    let closed;
    const dropped = new Promise((resolve) => (closed = resolve));
    server.files.set('manifest.json', (_, response) => response.on('close', closed));
    const feed = await open(server.url, { wasm });
    while (!server.takeRequests().includes('manifest.json')) await sleep(1);
    feed.close();
    await dropped;
  `));

test('without schemas the validator is not loaded; without the validator there is the copy with the reason, and the next read tries again', () =>
  inNewPage(`
    server.publish({ sales: '[1]' });
    let asked = 0;
    server.files.set('v.wasm', (_, response) => {
      asked += 1;
      if (asked <= 2) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/wasm' }).end(module);
    });
    const feed = await open(server.url, { wasm, validator: server.url + 'v.wasm', onEvent });
    await feed.read('sales');
    assert.equal(asked, 0);
    server.publish({ sales: '[2]' }, { generation: 2, schema: SCHEMA });
    const states = [];
    for (let read = 0; read < 4; read += 1) {
      const state = await feed.read('sales').catch((error) => error);
      states.push([state.reason ?? state.code ?? 'fresh', state.data]);
    }
    assert.deepEqual(states.at(-1), ['fresh', [2]]);
    assert.ok(states.every(([reason, data]) => reason === 'fresh' || (reason === 'offline' && data?.[0] !== 2)), JSON.stringify(states));
    assert.ok(asked >= 3);
  `));

test('a value is handed out before its copy is written, and the reading and an event tell when it is', () =>
  inNewPage(`
    server.publish({ sales: JSON.stringify('x'.repeat(40_000)) });
    const feed = await open(server.url, { wasm, onEvent });
    const reading = await feed.read('sales');
    assert.deepEqual([reading.cachedIn, events], [null, ['reading sales']]);
    while (events.length < 2) await sleep(1);
    assert.deepEqual([reading.cachedIn, events[1]], ['localStorage', 'cached sales localStorage']);
    assert.equal(structuredClone(reading).cachedIn, 'localStorage');
  `));

test('when the module stops, all calls end with "internal", and the next one begins anew', () =>
  inNewPage(`
    server.publish({ sales: '[1]' });
    const feed = await open(server.url, { wasm });
    await feed.read('sales');
    const real = globalThis.setTimeout;
    let answer;
    server.files.set('.lock', (_, response) => (answer = () => response.writeHead(404).end()));
    const other = feed.read('sales').catch((error) => error);
    while (!answer) await sleep(1);
    // Nothing that the module calls throws; this stands for a defect.
    globalThis.setTimeout = (...given) => {
      if (given[1] !== 4_321) return real(...given);
      globalThis.setTimeout = real;
      throw new Error('a defect');
    };
    await assert.rejects(feed.read('sales', { timeoutMs: 4_321 }), { name: 'LastgoodError', code: 'internal' });
    assert.equal((await other).code, 'internal');
    server.files.delete('.lock');
    answer();
    await sleep(20);
    assert.deepEqual((await feed.read('sales')).data, [1]);
  `));
