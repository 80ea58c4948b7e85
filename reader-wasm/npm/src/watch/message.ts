/**
 * What tabs tell each other, as it goes through a channel. Any code of the origin can write there: only what fits is
 * taken.
 */

import type { ReasonCode } from '../types.js';
import type { Answer, Failure, Told } from './responses.js';

/** Part of every name, so that versions that do not understand each other do not meet. */
export const PROTOCOL = 'lastgood-watch:1';

/** What can go wrong with a request; all else is found by who reads the answer. */
const FETCH_CODES: readonly ReasonCode[] = ['offline', 'timeout', 'http', 'truncated', 'not-json', 'too-large'];

/** What is told, as a message. */
export function encode({ manifest, lock }: Told): object {
  return { protocol: PROTOCOL, manifest, lock };
}

/** What a message tells; `null` when it is not one of ours. */
export function decode(message: unknown): Told | null {
  if (!isRecord(message) || message['protocol'] !== PROTOCOL) return null;
  const manifest = decodeAnswer(message['manifest']);
  const lock = message['lock'] === null ? null : decodeAnswer(message['lock']);
  return manifest === null || (lock === null && message['lock'] !== null) ? null : { manifest, lock };
}

function decodeAnswer(answer: unknown): Answer | null {
  if (!isRecord(answer)) return null;
  const { bytes, serverTime, code, detail } = answer;
  if (bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer) {
    if (serverTime !== null && typeof serverTime !== 'number') return null;
    return { bytes: new Uint8Array(bytes), serverTime };
  }
  const known = FETCH_CODES.find((each) => each === code);
  if (known === undefined || typeof detail !== 'string') return null;
  const failure: Failure = { code: known, detail };
  if (typeof answer['path'] === 'string') failure.path = answer['path'];
  if (typeof answer['status'] === 'number') failure.status = answer['status'];
  if (typeof answer['retryAfterMs'] === 'number') failure.retryAfterMs = answer['retryAfterMs'];
  return failure;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
