import { expect, test } from 'vitest';

import type { Told } from '../../../src/watch/responses.js';
import { decode, encode } from '../../../src/watch/message.js';

const BODY = { bytes: new TextEncoder().encode('{}'), serverTime: 1_795_185_600_000 };

const through = (told: Told): Told | null => decode(structuredClone(encode(told)));

test.each<[string, Told]>([
  ['answers', { manifest: BODY, lock: BODY }],
  ['a server that does not tell its time', { manifest: { ...BODY, serverTime: null }, lock: null }],
  [
    'failures with all that is known of them',
    {
      manifest: { code: 'http', detail: 'manifest.json: 503', path: 'manifest.json', status: 503, retryAfterMs: 1_000 },
      lock: { code: 'offline', detail: '.lock: no network' },
    },
  ],
])('%s arrive as they are', (_, told) => {
  expect(through(told)).toEqual(told);
});

const good = encode({ manifest: BODY, lock: null });

test.each<[string, unknown]>([
  ['nothing', null],
  ['a text', 'hello'],
  ['a foreign object', { type: 'ping' }],
  ['another version', { ...good, protocol: 'lastgood-watch:2' }],
  ['no manifest', { ...good, manifest: null }],
  ['no bytes', { ...good, manifest: { bytes: [123, 125], serverTime: null } }],
  ['a time that is none', { ...good, manifest: { ...BODY, serverTime: 'now' } }],
  ['a lock that is none', { ...good, lock: 'locked' }],
  ['a lock that is left out', { ...good, lock: undefined }],
  ['a failure that no request has', { ...good, manifest: { code: 'regressed', detail: '' } }],
  ['a failure without a sentence', { ...good, manifest: { code: 'http' } }],
])('%s is ignored', (_, message) => {
  expect(decode(message)).toBeNull();
});
