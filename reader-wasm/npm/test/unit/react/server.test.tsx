// @vitest-environment node

import { Suspense } from 'react';
import { renderToString } from 'react-dom/server';
import { prerender } from 'react-dom/static';
import { expect, test } from 'vitest';
import { useDataset, type UseDatasetOptions } from '../../../src/react.js';
import type { Feed } from '../../../src/types.js';

/** A server must not even look at it. */
const untouchable = new Proxy({} as Feed, {
  get: (_, member) => expect.fail(`a server touched the feed: ${String(member)}`),
});

function Shown({ options }: { options: UseDatasetOptions }) {
  const result = useDataset(untouchable, 'sales', options);
  return result.status === 'success' ? JSON.stringify(result.data) : result.status;
}

test('a server renders the fallback, or pending', () => {
  expect(renderToString(<Shown options={{}} />)).toBe('pending');
  expect(renderToString(<Shown options={{ fallback: [1] }} />)).toBe('[1]');
});

test('with suspense, a server renders the fallback, or what is shown meanwhile, and does not wait', async () => {
  const render = async (options: UseDatasetOptions) => {
    const errors: unknown[] = [];
    const tree = (
      <Suspense fallback="waiting">
        <Shown options={{ suspense: true, ...options }} />
      </Suspense>
    );
    const { prelude } = await prerender(tree, { onError: (error) => void errors.push(error) });
    return { html: await new Response(prelude).text(), errors };
  };
  expect(await render({ fallback: [1] })).toMatchObject({ html: expect.stringContaining('[1]'), errors: [] });
  const { html, errors } = await render({});
  expect(html).toContain('waiting');
  expect(String(errors)).toContain('in the page, not on a server');
});
