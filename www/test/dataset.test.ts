import { beforeEach, describe, expect, test, vi } from 'vitest';

import type { Reading } from 'lastgood';

import { Dataset } from '../src/dataset';
import { find } from '../src/dom';
import { OverviewView } from '../src/overview';
import { parseFlights } from '../src/shapes';
import type { Code } from '../src/state';
import { afterReading } from '../src/state';
import { TransactionsView } from '../src/transactions';
import { ManualClock, settled } from './clock';
import { flightRow, loadPage, marks, reading, section, text } from './page';

const SHA_A = 'a'.repeat(64);
const SHA_B = 'b'.repeat(64);

let clock: ManualClock;
let outcome: () => Reading;

class Refused extends Error {
  readonly code: Code;

  constructor(code: Code) {
    super(`refused with ${code}`);
    this.code = code;
  }
}

function start() {
  const root = section('transactions');
  const overview = new OverviewView(document, () => dataset.poller.wake());
  const dataset: Dataset<ReturnType<typeof parseFlights>> = new Dataset({
    section: root,
    title: 'Transactions',
    read: async () => outcome(),
    explainError: (error) => ({ code: error instanceof Refused ? error.code : 'unknown', detail: String(error) }),
    parse: parseFlights,
    view: new TransactionsView(root),
    clock,
    onChange: () => overview.show([dataset.state], 'http://localhost/data/'),
  });
  dataset.poller.wake();
  return { root, dataset };
}

const firstRow = (root: HTMLElement): Element | null => root.querySelector('tbody tr');
const content = (root: HTMLElement): HTMLElement => find(root, '[data-part="content"]', HTMLElement);
const retry = (root: HTMLElement): HTMLButtonElement => find(root, '[data-part="retry"]', HTMLButtonElement);

function refuse(code: Code): void {
  outcome = () => {
    throw new Refused(code);
  };
}

beforeEach(() => {
  loadPage();
  clock = new ManualClock();
  outcome = () => reading({ data: [flightRow()], sha256: SHA_A });
});

describe('a dataset on the page', () => {
  test('shows placeholders until the first reading, then the data', async () => {
    const { root } = start();
    expect(root.dataset['state']).toBe('loading');
    expect(content(root).getAttribute('aria-busy')).toBe('true');
    await settled();
    expect(marks(root)).toMatchObject({ state: 'fresh', reason: '', generation: '7', source: 'network' });
    expect(content(root).hasAttribute('aria-busy')).toBe(false);
    expect(text(root, '[data-part="badge"]')).toBe('Fresh');
    expect(firstRow(root)?.textContent).toContain('HOU');
    expect(retry(root).hidden).toBe(true);
  });

  test('keeps the very same rows while the payload is the same', async () => {
    const { root } = start();
    await settled();
    const row = firstRow(root);
    outcome = () => reading({ data: [flightRow()], sha256: SHA_A, generation: 8, source: 'cache' });
    await clock.advance(3_000);
    expect(root.dataset['generation']).toBe('8');
    expect(firstRow(root)).toBe(row);
  });

  test('keeps the nodes of its words and details, so that a selection survives', async () => {
    const { root, dataset } = start();
    await settled();
    const note = find(root, '[data-part="note"]', HTMLElement).firstChild;
    const values = [...root.querySelectorAll('[data-part="details"] dd')];
    outcome = () => reading({ data: [flightRow()], checkedAt: '2026-11-20T14:40:00Z' });
    await clock.advance(3_000);
    dataset.tick();
    expect(find(root, '[data-part="note"]', HTMLElement).firstChild).toBe(note);
    expect([...root.querySelectorAll('[data-part="details"] dd')]).toEqual(values);
    expect(values.every((value) => value.isConnected)).toBe(true);
    expect(text(root, '[data-part="details"]')).toContain('2026-11-20T14:40:00Z');
  });

  test('draws a changed payload', async () => {
    const { root } = start();
    await settled();
    outcome = () => reading({ data: [flightRow({ origin: 'SEA' })], sha256: SHA_B, generation: 8 });
    await clock.advance(3_000);
    expect(firstRow(root)?.textContent).toContain('SEA');
  });

  test('says so when the copy is a cached one, counts down, and recovers by itself', async () => {
    const { root, dataset } = start();
    await settled();
    const before = outcome;
    outcome = () => reading({ ...before(), fresh: false, reason: 'offline', detail: 'no route', source: 'fallback' });
    await clock.advance(3_000);
    expect(marks(root)).toMatchObject({ state: 'cached', reason: 'offline', source: 'fallback' });
    expect(text(root, '[data-part="note"]')).toContain('cannot be reached');
    expect(text(root, '[data-part="next"]')).toBe('Next try in 3 s.');
    expect(retry(root).hidden).toBe(false);
    expect(text(root, '[data-part="live"]')).toBe('Transactions: cached. The data server cannot be reached.');
    expect(text(root, '[data-part="details"]')).toContain('no route');
    expect(text(document, '[data-part="overall"]')).toBe('Showing cached data');
    await clock.advance(1_000);
    dataset.tick();
    expect(text(root, '[data-part="next"]')).toBe('Next try in 2 s.');
    outcome = before;
    await clock.advance(2_000);
    expect(root.dataset['state']).toBe('fresh');
    expect(retry(root).hidden).toBe(true);
    expect(text(root, '[data-part="live"]')).toBe('Transactions: fresh again.');
    expect(text(document, '[data-part="overall"]')).toBe('All data is fresh');
  });

  test('is updating while a commit is in progress, and looks again soon', async () => {
    outcome = () => reading({ data: [flightRow()], fresh: false, reason: 'locked', source: 'cache' });
    const { root } = start();
    await settled();
    expect(marks(root)).toMatchObject({ state: 'updating', reason: 'locked', source: 'cache' });
    expect(firstRow(root)?.textContent).toContain('HOU');
    outcome = () => reading({ data: [flightRow()] });
    await clock.advance(1_000);
    expect(root.dataset['state']).toBe('fresh');
  });

  test('with nothing to show, takes the placeholders away, says what to do, and retries on demand', async () => {
    refuse('not-found');
    const { root } = start();
    await settled();
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'not-found', generation: '', source: '' });
    expect(content(root).hidden).toBe(true);
    expect(text(root, '[data-part="note"]')).toContain('has to publish it');
    outcome = () => reading({ data: [flightRow()] });
    retry(root).click();
    await settled();
    expect(root.dataset['state']).toBe('fresh');
    expect(content(root).hidden).toBe(false);
  });

  test('keeps what it shows when a later reading fails altogether', async () => {
    const { root } = start();
    await settled();
    refuse('timeout');
    await clock.advance(3_000);
    expect(marks(root)).toMatchObject({ state: 'cached', reason: 'timeout', source: 'page', generation: '7' });
    expect(content(root).hidden).toBe(false);
    expect(firstRow(root)?.textContent).toContain('HOU');
  });

  test('an unexpected shape is a failure that names the place, on a page that still works', async () => {
    outcome = () => reading({ data: [flightRow({ delay: 'late' })] });
    const { root } = start();
    await settled();
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'unexpected-shape' });
    expect(text(root, '[data-part="note"]')).toMatch(/^Unexpected shape/);
    expect(text(root, '[data-part="details"]')).toContain('row 1, delay: expected a number');
  });

  test('a later payload of an unexpected shape leaves the one before it on the page', async () => {
    const { root } = start();
    await settled();
    outcome = () => reading({ data: {}, sha256: SHA_B, generation: 8 });
    await clock.advance(3_000);
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'unexpected-shape', generation: '7' });
    expect(firstRow(root)?.textContent).toContain('HOU');
  });

  test('a mistake in a view is reported, and the page does not pretend', async () => {
    const reported = vi.fn();
    vi.stubGlobal('reportError', reported);
    const root = section('transactions');
    const dataset = new Dataset({
      section: root,
      title: 'Transactions',
      read: async () => outcome(),
      explainError: () => ({ code: 'unknown', detail: null }),
      parse: parseFlights,
      view: {
        render: () => {
          throw new TypeError('a mistake');
        },
      },
      clock,
      onChange: () => {},
    });
    dataset.poller.wake();
    await settled();
    vi.unstubAllGlobals();
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'unknown' });
    expect(reported).toHaveBeenCalledOnce();
  });

  test('data is text, never markup', async () => {
    const markup = '<img src=x onerror=alert(1)>';
    outcome = () => reading({ data: [flightRow({ origin: markup })], meta: { source: markup } });
    const { root } = start();
    await settled();
    expect(firstRow(root)?.children[1]?.textContent).toBe(markup);
    expect(root.querySelector('img')).toBeNull();
  });
});

describe('the page', () => {
  test('says when it could not start at all, and starts on demand', async () => {
    refuse('wasm');
    const { root } = start();
    await settled();
    const failure = find(document, '#page-failure', HTMLElement);
    expect(failure.hidden).toBe(false);
    expect(failure.textContent).toContain('WebAssembly');
    expect(root.hidden).toBe(true);
    expect(marks(root)).toMatchObject({ state: 'failed', reason: 'wasm' });
    outcome = () => reading({ data: [flightRow()] });
    find(failure, 'button', HTMLButtonElement).click();
    await settled();
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
