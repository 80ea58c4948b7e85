import { describe, expect, test } from 'vitest';

import type { Sharing } from '../../../src/watch/surroundings.js';
import { nameOf } from '../../../src/watch/surroundings.js';

const URL = 'https://example.org/data/';
const name = (options: Partial<Sharing>, url = URL): string | null =>
  nameOf(url, { shareTabs: true, init: {}, fetch: null, ...options });

describe('tabs share', () => {
  test('with the same feed, and with no other', () => {
    expect(name({})).toBe(name({}));
    expect(name({})).not.toBe(name({}, 'https://example.org/other/'));
  });

  test('with the same request options, in whatever order', () => {
    const one = name({ init: { credentials: 'include', mode: 'cors' } });
    expect(one).toBe(name({ init: { mode: 'cors', credentials: 'include' } }));
    expect(one).not.toBe(name({ init: { credentials: 'omit', mode: 'cors' } }));
    expect(one).not.toBe(name({}));
  });

  test.each<[string, Partial<Sharing>]>([
    ['they are told not to', { shareTabs: false }],
    ['they send headers', { init: { headers: { authorization: 'secret' } } }],
    ['a function says what they send', { init: () => ({}) }],
    ['they fetch in their own way', { fetch: globalThis.fetch }],
  ])('not when %s', (_, options) => {
    expect(name(options)).toBeNull();
  });

  test('whatever they send, when they say with whom', () => {
    const init = { headers: { authorization: 'secret' } };
    const mine = name({ init, shareTabs: 'user 7' });
    expect(mine).toBe(name({ init: () => ({}), shareTabs: 'user 7' }));
    expect(mine).not.toBe(name({ init, shareTabs: 'user 8' }));
    expect(mine).not.toContain('secret');
  });
});
