// Asks the packed module what the native code was asked, and compares what both answer. Transcripts come on stdin, one on each
// line, as fuzz/src/agree.rs writes them; the directory of the module is the argument.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const directory = pathToFileURL(`${process.argv[2]}/`);
const { default: init, Manifests, Read, Schema } = await import(new URL('lastgood_reader.js', directory).href);
await init({ module_or_path: await readFile(new URL('lastgood_reader_bg.wasm', directory)) });

const counts = { read: 0, calls: 0, schema: 0, payloads: 0 };
let different = 0;
for (const line of (await text(process.stdin)).split('\n')) {
  if (line === '') continue;
  const { input, transcript } = JSON.parse(line);
  try {
    if (transcript.what === 'read') compareRead(transcript);
    else compareSchema(transcript);
    counts[transcript.what] += 1;
  } catch (error) {
    different += 1;
    console.error(`${input}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
console.log(`native code and module agree on ${JSON.stringify(counts)}`);
process.exitCode = different === 0 ? 0 : 1;

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

function compareRead({ plan, refused, first, calls }) {
  if (refused !== null) {
    assert.equal(thrown(() => new Read(plan)), refused);
    return;
  }
  const [read, manifests] = [new Read(plan), new Manifests()];
  assert.equal(read.step(), first);
  for (const { answers, manifest, lock, now, next } of calls) {
    const answer = () => read.answer(manifests, answers, Uint8Array.from(manifest), Uint8Array.from(lock), now);
    if (next === null) thrown(answer);
    else assert.equal(answer(), next);
    counts.calls += 1;
  }
  read.free();
  manifests.free();
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
    assert.equal(compiled.violations(new TextEncoder().encode(payload)) ?? null, violations);
    counts.payloads += 1;
  }
  compiled.free();
}
