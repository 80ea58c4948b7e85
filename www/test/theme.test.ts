import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import firstPaint from '../public/first-paint.js?raw';
import { find } from '../src/dom';
import { bindTheme } from '../src/theme';
import { loadPage } from './page';

const root = document.documentElement;
const button = (): HTMLButtonElement => find(document, '#theme', HTMLButtonElement);

/** What the script in the page's head does at the next visit. */
function visitAgain(): string | undefined {
  delete root.dataset['theme'];
  new Function(firstPaint)();
  return root.dataset['theme'];
}

beforeEach(() => {
  loadPage();
  localStorage.clear();
  delete root.dataset['theme'];
});

afterEach(() => vi.restoreAllMocks());

test('a choice is applied, told, and there again at the next visit', () => {
  const changed = vi.fn();
  bindTheme(button(), changed);
  expect(button().getAttribute('aria-pressed')).toBe('false');
  button().click();
  expect(root.dataset['theme']).toBe('dark');
  expect(button().getAttribute('aria-pressed')).toBe('true');
  expect(changed).toHaveBeenCalledTimes(2);
  expect(visitAgain()).toBe('dark');
});

test('back at the system’s theme, nothing is remembered', () => {
  bindTheme(button(), () => {});
  button().click();
  button().click();
  expect(root.dataset['theme']).toBeUndefined();
  expect(visitAgain()).toBeUndefined();
});

test('blocked storage costs the memory, not the switch', () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('blocked', 'SecurityError');
  });
  bindTheme(button(), () => {});
  button().click();
  expect(root.dataset['theme']).toBe('dark');
});
