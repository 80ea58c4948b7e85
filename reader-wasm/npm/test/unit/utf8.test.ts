import { expect, test } from 'vitest';

import { encoded } from '../../src/read/utf8.js';

test('a text is encoded to the same bytes, whatever size it is said to have', () => {
  for (const text of ['', '[1]', 'é', '漢字', '"😀"', 'half \ud800 of a pair', '\ufeff[]']) {
    const bytes = new TextEncoder().encode(text);
    for (const size of [bytes.length, 0, 1, bytes.length - 1, bytes.length + 1, 2.5, 2 ** 50, -1, NaN]) {
      expect(encoded(text, size), `${text} as ${size} bytes`).toEqual(bytes);
    }
  }
});
