/** The real page and readings to show on it. */

import type { Reading } from 'lastgood';

import { find } from '../src/dom';
import html from '../index.html?raw';

/** Puts the body of index.html into the test's document; nothing of it is loaded or run. */
export function loadPage(): void {
  document.body.innerHTML = new DOMParser().parseFromString(html, 'text/html').body.innerHTML;
}

export const section = (name: string): HTMLElement => find(document, `[data-dataset="${name}"]`, HTMLElement);

export const text = (root: ParentNode, selector: string): string | null => find(root, selector, HTMLElement).textContent;

/** What the section tells machines. */
export const marks = (root: Element): Readonly<Record<string, string | null>> =>
  Object.fromEntries(['state', 'reason', 'generation', 'source'].map((name) => [name, root.getAttribute(`data-${name}`)]));

export function reading(changes: Partial<Reading> = {}): Reading {
  return {
    data: [],
    dataset: 'transactions',
    source: 'network',
    fresh: true,
    reason: null,
    detail: null,
    generation: 7,
    sha256: 'a'.repeat(64),
    publishedAt: '2026-11-20T14:39:00.123Z',
    ageMs: 2_000,
    checkedAt: '2026-11-20T14:39:02Z',
    meta: null,
    schemaVersion: null,
    cachedIn: 'localStorage',
    ...changes,
  };
}

export const weatherRow = (date: string, changes: object = {}): object => ({
  date,
  precipitation: 1.5,
  temp_max: 12,
  temp_min: 4,
  wind: 3.1,
  weather: 'rain',
  ...changes,
});

export const flightRow = (changes: object = {}): object => ({
  date: '2001-01-10T18:20:00',
  delay: 95,
  distance: 1205,
  origin: 'HOU',
  destination: 'SJC',
  ...changes,
});
