// @vitest-environment happy-dom

import { act } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import { useAge, useDataset } from '../../../src/react.js';
import type { FallbackReading, Reading } from '../../../src/types.js';
import { reading, ScriptedFeed } from './scripted-feed.js';
import { page, pass, show, stage } from './stage.js';

stage();

function Age({ of, everyMs }: { of: Reading | FallbackReading | null; everyMs?: number }) {
  return <time>{String(useAge(of, everyMs))}</time>;
}

test('an age ticks every second in the first minute, then every minute', async () => {
  const made = reading('sales', 1, { ageMs: 58_000 });
  await show(<Age of={made} />);
  expect(page.textContent).toBe('58000');
  await pass(1000);
  expect(page.textContent).toBe('59000');
  await pass(1000);
  expect(page.textContent).toBe('60000');
  await pass(59_000);
  expect(page.textContent).toBe('60000');
  await pass(1000);
  expect(page.textContent).toBe('120000');
  await show(null);
  expect(vi.getTimerCount()).toBe(0);
});

test('an age goes on from when the reading was handed out, not from when it is looked at', async () => {
  const scripted = new ScriptedFeed();
  function Late({ isShown }: { isShown: boolean }) {
    const { reading } = useDataset(scripted.feed, 'sales');
    return isShown ? <Age of={reading} /> : null;
  }
  await show(<Late isShown={false} />);
  await act(async () => scripted.tell('sales', 1, { ageMs: 1000 }));
  await pass(180_000);
  await show(<Late isShown />);
  expect(page.textContent).toBe('181000');
});

test('it ticks as often as it is told to, never backwards, and not without a reading', async () => {
  const made = reading('sales', 1, { ageMs: 0 });
  await show(<Age of={made} everyMs={10} />);
  await pass(10);
  expect(page.textContent).toBe('10');
  vi.setSystemTime(Date.now() - 3_600_000);
  await pass(10);
  expect(page.textContent).toBe('0');
  await show(<Age of={null} />);
  expect([page.textContent, vi.getTimerCount()]).toEqual(['null', 0]);
});

test('a page that a server has rendered begins with the same, and goes on with what it has become', async () => {
  const publishedAt = new Date(Date.now() - 60_000).toISOString();
  const made: FallbackReading = {
    ...reading('sales', 1, { ageMs: 60_000, publishedAt }),
    source: 'initial',
    fresh: false,
    reason: 'pending',
    cachedIn: null,
  };
  const html = renderToString(<Age of={made} />);
  expect(html).toBe('<time>60000</time>');
  // An hour later, out of a cache.
  vi.setSystemTime(Date.now() + 3_600_000);
  const section = page.appendChild(document.createElement('section'));
  section.innerHTML = html;
  const hydrated = await act(async () =>
    hydrateRoot(section, <Age of={made} />, { onRecoverableError: (error) => expect.fail(`hydration: ${error}`) }),
  );
  expect(section.textContent).toBe('3660000');
  await act(async () => hydrated.unmount());
});
