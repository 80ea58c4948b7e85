/** A page for one component under test. */

import { act, type ReactNode } from 'react';
import { createRoot, type Root, type RootOptions } from 'react-dom/client';
import { afterEach, beforeEach, expect, vi } from 'vitest';

export let page: HTMLElement;
let root: Root;

/** Makes a page before each test of a file, with time that stands still. */
export function stage(): void {
  beforeEach(() => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    vi.useFakeTimers();
    // Whatever React complains about is a failure of the test.
    vi.spyOn(console, 'error').mockImplementation((...complaint) => expect.fail(`console.error: ${complaint.join(' ')}`));
    page = document.body.appendChild(document.createElement('main'));
    root = createRoot(page);
  });
  afterEach(async () => {
    await act(async () => root.unmount());
    page.remove();
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}

/** Begins anew, for a test whose components are to fail. */
export async function restage(options: RootOptions): Promise<void> {
  await act(async () => root.unmount());
  root = createRoot(page, options);
}

export const show = (children: ReactNode) => act(async () => root.render(children));

/** Lets time pass. */
export const pass = (ms: number) => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
