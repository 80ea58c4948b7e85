// Asks the packed package what the native code was asked, and compares what both answer. Transcripts come on stdin, one on each line, as
// fuzz/src/agree.rs writes them; the directories of the package and of its modules with their bindings are the arguments.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { FakeStorage, install } from '../../reader-wasm/npm/test/support/storage.mjs';

const [packed, core] = process.argv.slice(2).map((directory) => pathToFileURL(`${directory}/`));
const encoder = new TextEncoder();

/** Longer than anything waits: no request takes this long, so these timers never fire; all others fire at once. */
const TIMEOUT_MS = 1_000_000;
let waiting = 0;
const timers = new Set();
globalThis.setTimeout = (callback, ms = 0) => {
  if (ms >= TIMEOUT_MS) return null;
  waiting += 1;
  const timer = setImmediate(() => {
    waiting -= 1;
    timers.delete(timer);
    callback();
  });
  timers.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  if (!timers.delete(timer)) return;
  waiting -= 1;
  clearImmediate(timer);
};

/** Until nothing is left to be written to storage. */
async function settled() {
  for (let quiet = 0; quiet < 3; quiet += waiting === 0 ? 1 : 0) await new Promise((resolve) => setImmediate(resolve));
}

const { open } = await import(new URL('lastgood.js', packed).href);
// The first feed of a page has its requests sent while the module is loaded.
await open('https://first.example/', { cache: 'none', fetch: () => Promise.reject(new TypeError('offline')) });

const { default: init, Schema } = await import(new URL('lastgood_validator.js', core).href);
await init({ module_or_path: await readFile(new URL('lastgood_validator_bg.wasm', core)) });

const counts = { read: 0, requests: 0, readings: 0, schema: 0, payloads: 0 };
let different = 0;
for (const line of (await text(process.stdin)).split('\n')) {
  if (line === '') continue;
  const { input, transcript } = JSON.parse(line);
  try {
    if (transcript.what === 'read') await compareRead(transcript);
    else compareSchema(transcript);
    counts[transcript.what] += 1;
  } catch (error) {
    different += 1;
    console.error(`${input}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
console.log(`native code and package agree on ${JSON.stringify(counts)}`);
process.exitCode = different === 0 ? 0 : 1;

async function compareRead({ url, now, order, before, exchanges, readings, failure, after }) {
  Date.now = () => now;
  const storage = new FakeStorage();
  for (const [key, entry] of Object.entries(before)) storage.setItem(key, entry);
  install(storage);
  const { lock, lockWaitMs, maxBytes, maxAge } = order;
  const { left, unexpected, fetch } = server(url, exchanges);
  const feed = await open(url, {
    fetch,
    cache: 'localStorage',
    datasets: Object.fromEntries(order.datasets.filter(({ artifact }) => !artifact).map(shape)),
    lock,
    lockWaitMs,
    maxBytes,
    timeoutMs: TIMEOUT_MS,
    ...(maxAge === null ? {} : { maxAge }),
  });
  const found = await read(feed, order.datasets).then(
    (readings) => ({ readings, error: null }),
    (error) => ({ readings: null, error }),
  );
  await settled();
  feed.close();

  assert.deepEqual({ unexpected, left }, { unexpected: [], left: [] }, 'it asks for other files');
  counts.requests += exchanges.length;
  if (failure) {
    assert.ok(found.error, `expected the error ${failure.code}, found readings`);
    await compareError(found.error, failure);
  } else {
    if (found.error) throw found.error;
    assert.equal(found.readings.length, readings.length);
    for (const [i, expected] of readings.entries()) await compareReading(found.readings[i], expected);
  }
  // What was handed out together is the browser's matter: reader-wasm/npm/test/sets.test.mjs.
  const kept = storage.keys().filter((key) => !key.endsWith(':+sets'));
  assert.deepEqual(Object.fromEntries(kept.map((key) => [key, storage.getItem(key)])), after, 'it keeps something else');
}

/** What the page knows of a dataset, by its name. */
function shape({ name, validate, own, oldest, newest }) {
  const steps = newest === null ? [] : Array.from({ length: newest - oldest }, (_, i) => [oldest + i, (value) => value]);
  const schema = { '~standard': { version: 1, vendor: 'agree', validate: (value) => (isDeepStrictEqual(value, [1]) ? { issues: [{ message: 'refused' }] } : { value }) } };
  return [
    name,
    { validate, ...(newest === null ? {} : { version: newest, migrate: Object.fromEntries(steps) }), ...(own ? { schema } : {}) },
  ];
}

async function read(feed, datasets) {
  const [{ name, artifact }] = datasets;
  if (artifact) return [await feed.artifact(name)];
  if (datasets.length === 1) return [await feed.read(name)];
  const readings = await feed.snapshot(datasets.map(({ name }) => name));
  return datasets.map(({ name }) => readings[name]);
}

/** Gives each request the answer that the native code was given. */
function server(feed, exchanges) {
  const [left, unexpected] = [[...exchanges], []];
  const fetch = async (url, { cache }) => {
    const at = left.findIndex((exchange) => feed + exchange.path === url && exchange.cache === cache);
    if (at < 0) unexpected.push(`${url} (${cache})`);
    const [exchange] = at < 0 ? [] : left.splice(at, 1);
    if (!exchange || exchange.response.kind === 'offline') throw new TypeError('offline');
    return respond(exchange.response);
  };
  return { left, unexpected, fetch };
}

function respond({ kind, status = 200, body, date = null, age, retryAfter = null }) {
  const bytes = bytesOf(body);
  // In two parts, unless the first would not tell what it is.
  const middle = bytes.length > 1 && bytes[0] > 0x20 && bytes[0] < 0x7f ? bytes.length >> 1 : bytes.length;
  const parts = [bytes.subarray(0, middle), bytes.subarray(middle)].filter((part) => part.length > 0);
  const stream = new ReadableStream({
    pull(controller) {
      const part = parts.shift();
      if (part) controller.enqueue(part);
      else if (kind === 'broken') controller.error(new TypeError('broken'));
      else controller.close();
    },
  });
  const headers = new Headers();
  if (date !== null) headers.set('date', new Date(date).toUTCString());
  if (age) headers.set('age', String(age));
  if (retryAfter !== null) headers.set('retry-after', String(retryAfter));
  return new Response([204, 205, 304].includes(status) ? null : stream, { status, headers });
}

function bytesOf(body) {
  return typeof body === 'string' ? encoder.encode(body) : Uint8Array.from(body);
}

async function compareReading(found, { payload, detail, meta, ...expected }) {
  const said = Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]]));
  assert.deepEqual(said, expected);
  assert.deepEqual(found.meta, meta === null ? null : JSON.parse(meta));
  if (detail !== null) assert.equal(found.detail, detail);
  const bytes = bytesOf(payload);
  assert.equal(createHash('sha256').update(bytes).digest('hex'), found.sha256);
  if (found.data instanceof Blob) assert.deepEqual(new Uint8Array(await found.data.arrayBuffer()), bytes);
  else assert.deepEqual(found.data, JSON.parse(new TextDecoder().decode(bytes)));
  counts.readings += 1;
}

async function compareError(found, { detail, reading, ...expected }) {
  if (found.name !== 'LastgoodError') throw found;
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]])), expected);
  if (detail !== null) assert.equal(found.message, detail);
  if (reading === null) assert.equal(found.reading, null);
  else await compareReading(found.reading, reading);
}

/** What a call throws that is refused; what is no text is a defect of the module. */
function thrown(call) {
  try {
    call();
  } catch (error) {
    if (typeof error === 'string') return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function compareSchema({ schema, refused, bad_pattern: badPattern, payloads }) {
  if (refused !== null) {
    const message = thrown(() => new Schema(schema));
    // Each engine of regular expressions has words of its own.
    const common = (full) => (badPattern ? full.slice(0, full.indexOf(' is not a regular expression')) : full);
    assert.equal(common(message), common(refused));
    return;
  }
  const compiled = new Schema(schema);
  for (const { text: payload, violations } of payloads) {
    assert.equal(compiled.violations(encoder.encode(payload)) ?? null, violations);
    counts.payloads += 1;
  }
  compiled.free();
}
