import { beforeEach, describe, expect, test, vi } from 'vitest';

import { Dataset } from '../src/dataset';
import { find } from '../src/dom';
import { OverviewView } from '../src/overview';
import { parseFlights } from '../src/shapes';
import type { Code } from '../src/state';
import { afterReading } from '../src/state';
import { TransactionsView } from '../src/transactions';
import { flightRow, loadPage, marks, reading, section, text } from './page';

const SHA_A = 'a'.repeat(64);
const SHA_B = 'b'.repeat(64);

/** Ends the retry that is under way. */
let endRetry: () => void;

function start() {
  const root = section('transactions');
  const retry = vi.fn(() => new Promise<void>((resolve) => (endRetry = resolve)));
  const overview = new OverviewView(document, retry);
  const dataset = new Dataset({
    section: root,
    title: 'Transactions',
    parse: parseFlights,
    view: new TransactionsView(root),
    retry,
    now: () => 0,
    onChange: () => overview.show([dataset.state], 'http://localhost/data/'),
  });
  return { root, dataset, retry };
}

const flights = (changes: Parameters<typeof reading>[0] = {}) => reading({ data: [flightRow()], sha256: SHA_A, ...changes });
const refused = (code: Code) => ({ code, detail: `refused with ${code}` });

const firstRow = (root: HTMLElement): Element | null => root.querySelector('tbody tr');
const content = (root: HTMLElement): HTMLElement => find(root, '[data-part="content"]', HTMLElement);
const retryButton = (root: HTMLElement): HTMLButtonElement => find(root, '[data-part="retry"]', HTMLButtonElement);

beforeEach(() => loadPage());

describe('a dataset on the page', () => {
  test('shows placeholders until the first reading, then the data', () => {
    const { root, dataset } = start();
    expect(content(root).getAttribute('aria-busy')).toBe('true');
    dataset.show(flights());
    expect(marks(root)).toMatchObject({ state: 'fresh', reason: '', generation: '7', source: 'network' });
    expect(content(root).hasAttribute('aria-busy')).toBe(false);
    expect(text(root, '[data-part="badge"]')).toBe('Fresh');
    expect(firstRow(root)?.textContent).toContain('HOU');
    expect(retryButton(root).hidden).toBe(true);
  });

  test('keeps the very same rows while the payload is the same', () => {
    const { root, dataset } = start();
    dataset.show(flights());
    const row = firstRow(root);
    dataset.show(flights({ generation: 8, source: 'cache' }));
    expect(root.dataset['generation']).toBe('8');
    expect(firstRow(root)).toBe(row);
  });

  test('keeps the nodes of its words and details, so that a selection survives', () => {
    const { root, dataset } = start();
    dataset.show(flights());
    const note = find(root, '[data-part="note"]', HTMLElement).firstChild;
    const values = [...root.querySelectorAll('[data-part="details"] dd')];
    dataset.show(flights({ publishedAt: '2026-11-20T14:40:00Z' }));
    dataset.tick();
    expect(find(root, '[data-part="note"]', HTMLElement).firstChild).toBe(note);
    expect([...root.querySelectorAll('[data-part="details"] dd')]).toEqual(values);
    expect(values.every((value) => value.isConnected)).toBe(true);
    expect(text(root, '[data-part="details"]')).toContain('2026-11-20T14:40:00Z');
  });

  test('draws a changed payload', () => {
    const { root, dataset } = start();
    dataset.show(flights());
    dataset.show(reading({ data: [flightRow({ origin: 'SEA' })], sha256: SHA_B, generation: 8 }));
    expect(firstRow(root)?.textContent).toContain('SEA');
  });

  test('says so when the copy is a cached one, and that it is fresh again', () => {
    const { root, dataset } = start();
    dataset.show(flights());
    dataset.show(flights({ fresh: false, reason: 'offline', detail: 'no route', source: 'fallback' }));
    expect(marks(root)).toMatchObject({ state: 'cached', reason: 'offline', source: 'fallback' });
    expect(text(root, '[data-part="note"]')).toContain('cannot be reached');
    expect(text(root, '[data-part="next"]')).toBe('The page tries again by itself.');
    expect(retryButton(root).hidden).toBe(false);
    expect(text(root, '[data-part="live"]')).toBe('Transactions: cached. The data server cannot be reached.');
    expect(text(root, '[data-part="details"]')).toContain('no route');
    expect(text(document, '[data-part="overall"]')).toBe('Showing cached data');
    dataset.show(flights());
    expect(root.dataset['state']).toBe('fresh');
    expect(retryButton(root).hidden).toBe(true);
    expect(text(root, '[data-part="next"]')).toBe('');
    expect(text(root, '[data-part="live"]')).toBe('Transactions: fresh again.');
    expect(text(document, '[data-part="overall"]')).toBe('All data is fresh');
  });

  test('is updating while a commit is in progress', () => {
    const { root, dataset } = start();
    dataset.show(flights({ fresh: false, reason: 'locked', source: 'cache' }));
    expect(marks(root)).toMatchObject({ state: 'updating', reason: 'locked', source: 'cache' });
    expect(firstRow(root)?.textContent).toContain('HOU');
  });

  test('with nothing to show, takes the placeholders away and says what to do', () => {
    const { root, dataset } = start();
    dataset.fail(refused('not-found'));
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'not-found', generation: '', source: '' });
    expect(content(root).hidden).toBe(true);
    expect(text(root, '[data-part="note"]')).toContain('has to publish it');
    dataset.show(flights());
    expect(root.dataset['state']).toBe('fresh');
    expect(content(root).hidden).toBe(false);
  });

  test('tries again on demand, once at a time, and says that it does', async () => {
    const { root, dataset, retry } = start();
    dataset.fail(refused('http'));
    retryButton(root).click();
    retryButton(root).click();
    expect(retry).toHaveBeenCalledOnce();
    expect(text(root, '[data-part="next"]')).toBe('Trying now…');
    expect(retryButton(root).getAttribute('aria-disabled')).toBe('true');
    endRetry();
    await vi.waitFor(() => expect(retryButton(root).getAttribute('aria-disabled')).toBe('false'));
    expect(text(root, '[data-part="next"]')).toBe('The page tries again by itself.');
  });

  test('keeps what it shows when a later reading fails altogether', () => {
    const { root, dataset } = start();
    dataset.show(flights());
    dataset.fail(refused('timeout'));
    expect(marks(root)).toMatchObject({ state: 'cached', reason: 'timeout', source: 'page', generation: '7' });
    expect(content(root).hidden).toBe(false);
    expect(firstRow(root)?.textContent).toContain('HOU');
  });

  test('an unexpected shape is a failure that names the place, on a page that still works', () => {
    const { root, dataset } = start();
    dataset.show(reading({ data: [flightRow({ delay: 'late' })] }));
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'unexpected-shape' });
    expect(text(root, '[data-part="note"]')).toMatch(/^Unexpected shape/);
    expect(text(root, '[data-part="details"]')).toContain('row 1, delay: expected a number');
  });

  test('a later payload of an unexpected shape leaves the one before it on the page', () => {
    const { root, dataset } = start();
    dataset.show(flights());
    dataset.show(reading({ data: {}, sha256: SHA_B, generation: 8 }));
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'unexpected-shape', generation: '7' });
    expect(firstRow(root)?.textContent).toContain('HOU');
  });

  test('a mistake in a view is thrown on, and the page does not pretend', () => {
    const root = section('transactions');
    const dataset = new Dataset({
      section: root,
      title: 'Transactions',
      parse: parseFlights,
      view: {
        render: () => {
          throw new TypeError('a mistake');
        },
      },
      retry: async () => {},
      now: () => 0,
      onChange: () => {},
    });
    expect(() => dataset.show(flights())).toThrow('a mistake');
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'unknown' });
  });

  test('data is text, never markup', () => {
    const { root, dataset } = start();
    const markup = '<img src=x onerror=alert(1)>';
    dataset.show(reading({ data: [flightRow({ origin: markup })], meta: { source: markup } }));
    expect(firstRow(root)?.children[1]?.textContent).toBe(markup);
    expect(root.querySelector('img')).toBeNull();
  });
});

describe('the page', () => {
  test('says when it could not start at all, and starts on demand', () => {
    const { root, dataset, retry } = start();
    dataset.fail(refused('wasm'));
    const failure = find(document, '#page-failure', HTMLElement);
    expect(failure.hidden).toBe(false);
    expect(failure.textContent).toContain('WebAssembly');
    expect(root.hidden).toBe(true);
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'wasm' });
    find(failure, 'button', HTMLButtonElement).click();
    expect(retry).toHaveBeenCalledOnce();
    dataset.show(flights());
    expect(failure.hidden).toBe(true);
    expect(root.hidden).toBe(false);
  });

  test('stays, when one dataset that has data reports what only a start can fail of', () => {
    const overview = new OverviewView(document, vi.fn());
    const before = afterReading(reading(), 0);
    if (before.kind !== 'fresh') throw new Error('a fresh reading makes a fresh state');
    overview.show([{ kind: 'failed', shown: before.shown, why: { code: 'wasm', detail: null } }], null);
    expect(find(document, '#page-failure', HTMLElement).hidden).toBe(true);
    expect(section('transactions').hidden).toBe(false);
  });

  test('names a feed of another site, and not its own', () => {
    const overview = new OverviewView(document, vi.fn());
    const notice = find(document, '#feed-notice', HTMLElement);
    overview.show([], new URL('data/', location.href).href);
    expect(notice.hidden).toBe(true);
    overview.show([], 'https://elsewhere.example/data/');
    expect(notice.hidden).toBe(false);
    expect(notice.textContent).toContain('https://elsewhere.example/data/');
  });
});
