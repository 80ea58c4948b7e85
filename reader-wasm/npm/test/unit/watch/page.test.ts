import { beforeEach, describe, expect, test } from 'vitest';

import type { PageScope, PageState } from '../../../src/watch/page.js';
import { Page } from '../../../src/watch/page.js';

class FakeDocument extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';
}

class FakeWindow extends EventTarget {
  readonly document = new FakeDocument();
  readonly navigator = { onLine: true };
}

let scope: FakeWindow;
let page: Page;
let changes: (PageState & { focused: boolean })[];

const fire = (target: EventTarget, type: string): boolean => target.dispatchEvent(new Event(type));

beforeEach(() => {
  scope = new FakeWindow();
  changes = [];
  page = new Page((focused) => changes.push({ ...page.state, focused }), scope);
});

test('hidden and visible again', () => {
  scope.document.visibilityState = 'hidden';
  fire(scope.document, 'visibilitychange');
  scope.document.visibilityState = 'visible';
  fire(scope.document, 'visibilitychange');
  expect(changes.map(({ active }) => active)).toEqual([false, true]);
});

test('a page that is opened in the background is hidden from the start', () => {
  scope.document.visibilityState = 'hidden';
  expect(page.state.active).toBe(false);
});

test('offline and online again', () => {
  scope.navigator.onLine = false;
  fire(scope, 'offline');
  scope.navigator.onLine = true;
  fire(scope, 'online');
  expect(changes.map(({ online }) => online)).toEqual([false, true]);
});

test('put aside for the back button, which comes before hidden, and back', () => {
  fire(scope, 'pagehide');
  fire(scope.document, 'visibilitychange');
  fire(scope, 'pageshow');
  expect(changes.map(({ active }) => active)).toEqual([false, false, true]);
});

test('frozen and resumed', () => {
  fire(scope.document, 'freeze');
  fire(scope.document, 'resume');
  expect(changes.map(({ active }) => active)).toEqual([false, true]);
});

test('the focus is told apart', () => {
  fire(scope, 'focus');
  fire(scope, 'online');
  expect(changes.map(({ focused }) => focused)).toEqual([true, false]);
});

test('listens no more after its end', () => {
  page.end();
  for (const type of ['online', 'pagehide', 'focus']) fire(scope, type);
  for (const type of ['visibilitychange', 'freeze']) fire(scope.document, type);
  expect(changes).toEqual([]);
});

describe('where there is no document', () => {
  test.each<[string, PageScope, PageState]>([
    ['Node', {}, { active: true, online: true }],
    ['a worker', Object.assign(new EventTarget(), { navigator: { onLine: false } }), { active: true, online: false }],
    ['a runtime that knows nothing of lines', { navigator: {} }, { active: true, online: true }],
  ])('%s is always visible', (_, scope, state) => {
    const page = new Page(() => {}, scope);
    expect(page.state).toEqual(state);
    page.end();
  });
});
