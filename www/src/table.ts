/** The table of flights: sorting by its header buttons, rows as plain DOM. */

import { create, find } from './dom';
import { formatMinute, formatNumber } from './format';
import type { Flight } from './shapes';

export type Column = keyof Flight;

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** From this many minutes on, a flight counts as late. */
export const LATE_MINUTES = 15;

/** More rows than anyone scrolls through only slow the page down. */
const MOST_ROWS = 500;

const COLUMNS: readonly Column[] = ['scheduled', 'origin', 'destination', 'distance', 'delay'];

/** Equal rows keep the order in which they were published. */
export function sorted(flights: readonly Flight[], { column, descending }: Order): readonly Flight[] {
  const sign = descending ? -1 : 1;
  return flights.toSorted((a, b) => sign * compare(a[column], b[column]));
}

/** The order after pressing a column's button: the other way round, or ascending in a new column. */
export function pressed(order: Order, column: Column): Order {
  return { column, descending: order.column === column && !order.descending };
}

export class FlightTable {
  readonly #headers: ReadonlyMap<Column, HTMLTableCellElement>;
  readonly #body: HTMLTableSectionElement;
  #order: Order = { column: 'scheduled', descending: true };
  #flights: readonly Flight[] = [];

  constructor(table: HTMLTableElement) {
    this.#body = find(table, 'tbody', HTMLTableSectionElement);
    this.#headers = new Map(
      COLUMNS.map((column) => [column, find(table, `th[data-column="${column}"]`, HTMLTableCellElement)]),
    );
    for (const [column, header] of this.#headers) {
      find(header, 'button', HTMLButtonElement).addEventListener('click', () => {
        this.#order = pressed(this.#order, column);
        this.#draw();
      });
    }
  }

  show(flights: readonly Flight[]): void {
    this.#flights = flights;
    this.#draw();
  }

  #draw(): void {
    for (const [column, header] of this.#headers) {
      if (column !== this.#order.column) header.removeAttribute('aria-sort');
      else header.setAttribute('aria-sort', this.#order.descending ? 'descending' : 'ascending');
    }
    const flights = sorted(this.#flights, this.#order);
    this.#body.replaceChildren(...flights.slice(0, MOST_ROWS).map(rowOf));
    if (flights.length === 0) this.#body.append(noteRow('No flight matches.'));
    if (flights.length > MOST_ROWS) {
      this.#body.append(noteRow(`The first ${MOST_ROWS} of ${flights.length} flights. Filter to see others.`));
    }
  }
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rowOf(flight: Flight): HTMLTableRowElement {
  const row = create('tr', '');
  row.append(
    create('td', formatMinute(flight.scheduled)),
    create('td', flight.origin),
    create('td', flight.destination),
    create('td', formatNumber(flight.distance, 0), { class: 'number' }),
    delayCell(flight.delay),
  );
  return row;
}

function delayCell(delay: number): HTMLTableCellElement {
  const cell = create('td', '', { class: 'number' });
  const late = delay >= LATE_MINUTES;
  const words = delay > 0 ? `+${formatNumber(delay, 0)}` : formatNumber(delay, 0);
  const value = create('span', words, late ? { class: 'late' } : {});
  // The highlight in words, for whoever does not see it.
  if (late) value.append(create('span', ' late', { class: 'visually-hidden' }));
  cell.append(value);
  return cell;
}

function noteRow(text: string): HTMLTableRowElement {
  const row = create('tr', '');
  row.append(create('td', text, { colspan: String(COLUMNS.length), class: 'table-note' }));
  return row;
}
