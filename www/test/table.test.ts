import { beforeEach, describe, expect, test } from 'vitest';

import { find } from '../src/dom';
import { parseFlights } from '../src/shapes';
import { FlightTable, pressed, sorted } from '../src/table';
import { airportsOf, select, summaryOf, TransactionsView } from '../src/transactions';
import { flightRow, loadPage, section, text } from './page';

const flights = parseFlights([
  flightRow({ date: '2001-01-01T10:00:00', delay: 5, origin: 'SEA', destination: 'HOU', distance: 1894 }),
  flightRow({ date: '2001-01-02T10:00:00', delay: 40, origin: 'HOU', destination: 'SJC', distance: 1609 }),
  flightRow({ date: '2001-01-03T10:00:00', delay: -3, origin: 'SJC', destination: 'LAX', distance: 308 }),
]);

describe('sorting', () => {
  test('numbers by value, text by letter, both ways', () => {
    expect(sorted(flights, { column: 'delay', descending: false }).map((flight) => flight.delay)).toEqual([-3, 5, 40]);
    expect(sorted(flights, { column: 'distance', descending: true }).map((flight) => flight.distance)).toEqual([1894, 1609, 308]);
    expect(sorted(flights, { column: 'origin', descending: false }).map((flight) => flight.origin)).toEqual(['HOU', 'SEA', 'SJC']);
  });

  test('equal rows keep their order', () => {
    const equal = parseFlights([flightRow({ origin: 'AAA' }), flightRow({ origin: 'BBB' })]);
    expect(sorted(equal, { column: 'delay', descending: true })).toEqual(equal);
  });

  test('a column turns round when it is pressed again', () => {
    const once = pressed({ column: 'scheduled', descending: true }, 'delay');
    expect(once).toEqual({ column: 'delay', descending: false });
    expect(pressed(once, 'delay')).toEqual({ column: 'delay', descending: true });
  });
});

describe('selecting', () => {
  test('by airport at either end, and by lateness', () => {
    expect(select(flights, 'HOU', false)).toHaveLength(2);
    expect(select(flights, '', true).map((flight) => flight.delay)).toEqual([40]);
    expect(select(flights, 'LAX', true)).toEqual([]);
  });

  test('offers each airport once', () => {
    expect(airportsOf(flights)).toEqual(['HOU', 'LAX', 'SEA', 'SJC']);
  });

  test('sums up what is selected', () => {
    expect(summaryOf(flights, 3)).toBe('3 of 3 flights · 67 % on time · median delay 5 min');
    expect(summaryOf(flights.slice(0, 2), 3)).toBe('2 of 3 flights · 50 % on time · median delay 23 min');
    expect(summaryOf([], 3)).toBe('0 of 3 flights');
  });
});

describe('on the page', () => {
  let root: HTMLElement;
  const rows = (): readonly HTMLTableRowElement[] => [...root.querySelectorAll<HTMLTableRowElement>('tbody tr')];
  const header = (column: string): HTMLElement => find(root, `th[data-column="${column}"]`, HTMLElement);

  beforeEach(() => {
    loadPage();
    root = section('transactions');
  });

  test('starts with the latest flight, and the header says so', () => {
    new TransactionsView(root).render(flights);
    expect(rows().map((row) => row.children[1]?.textContent)).toEqual(['SJC', 'HOU', 'SEA']);
    expect(header('scheduled').getAttribute('aria-sort')).toBe('descending');
  });

  test('the buttons in the header sort, and one header at a time says so', () => {
    new TransactionsView(root).render(flights);
    find(header('delay'), 'button', HTMLButtonElement).click();
    expect(rows().map((row) => row.lastElementChild?.textContent)).toEqual(['\u22123', '+5', '+40 late']);
    expect(header('delay').getAttribute('aria-sort')).toBe('ascending');
    expect(root.querySelectorAll('[aria-sort]')).toHaveLength(1);
  });

  test('order and filter outlive new data', () => {
    const view = new TransactionsView(root);
    view.render(flights);
    find(header('delay'), 'button', HTMLButtonElement).click();
    const filter = find(root, 'select', HTMLSelectElement);
    filter.value = 'LAX';
    filter.dispatchEvent(new Event('change'));
    expect(rows()).toHaveLength(1);
    view.render(flights.slice(0, 2));
    expect(filter.value).toBe('LAX');
    expect(text(root, 'tbody')).toBe('No flight matches.');
    expect(text(root, '[data-part="sum"]')).toBe('0 of 2 flights');
    expect(header('delay').getAttribute('aria-sort')).toBe('ascending');
  });

  test('very long tables are cut, and say so', () => {
    const table = new FlightTable(find(root, 'table', HTMLTableElement));
    table.show(parseFlights(Array.from({ length: 501 }, () => flightRow())));
    expect(rows()).toHaveLength(501);
    expect(rows().at(-1)?.textContent).toBe('The first 500 of 501 flights. Filter to see others.');
  });
});
