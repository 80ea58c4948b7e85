/** The `transactions` section: flights in a table, with a filter and a line that sums them up. */

import type { View } from './dataset';
import { create, find, setText } from './dom';
import { formatNumber } from './format';
import type { Flight } from './shapes';
import { FlightTable, LATE_MINUTES } from './table';

export class TransactionsView implements View<readonly Flight[]> {
  readonly #filter: HTMLSelectElement;
  readonly #late: HTMLInputElement;
  readonly #summary: HTMLElement;
  readonly #table: FlightTable;
  #flights: readonly Flight[] = [];

  constructor(section: HTMLElement) {
    this.#filter = find(section, 'select[name="airport"]', HTMLSelectElement);
    this.#late = find(section, 'input[name="late"]', HTMLInputElement);
    this.#summary = find(section, '[data-part="sum"]', HTMLElement);
    this.#table = new FlightTable(find(section, 'table', HTMLTableElement));
    this.#filter.addEventListener('change', () => this.#show());
    this.#late.addEventListener('change', () => this.#show());
  }

  render(flights: readonly Flight[]): void {
    this.#flights = flights;
    this.#offerAirports();
    this.#show();
  }

  #offerAirports(): void {
    const chosen = this.#filter.value;
    const airports = airportsOf(this.#flights);
    // A choice that the new data does not have stays visible; it simply matches nothing.
    if (chosen !== '' && !airports.includes(chosen)) airports.unshift(chosen);
    this.#filter.replaceChildren(
      create('option', 'All airports', { value: '' }),
      ...airports.map((airport) => create('option', airport, { value: airport })),
    );
    this.#filter.value = chosen;
  }

  #show(): void {
    const flights = select(this.#flights, this.#filter.value, this.#late.checked);
    setText(this.#summary, summaryOf(flights, this.#flights.length));
    this.#table.show(flights);
  }
}

export function airportsOf(flights: readonly Flight[]): string[] {
  return [...new Set(flights.flatMap((flight) => [flight.origin, flight.destination]))].sort();
}

/** The flights from or to an airport (all with ''), or only the late ones among them. */
export function select(flights: readonly Flight[], airport: string, lateOnly: boolean): readonly Flight[] {
  return flights.filter(
    (flight) =>
      (airport === '' || flight.origin === airport || flight.destination === airport) &&
      (!lateOnly || flight.delay >= LATE_MINUTES),
  );
}

export function summaryOf(flights: readonly Flight[], total: number): string {
  if (flights.length === 0) return `0 of ${total} flights`;
  const onTime = flights.filter((flight) => flight.delay < LATE_MINUTES).length;
  const share = formatNumber((100 * onTime) / flights.length, 0);
  const median = formatNumber(medianOf(flights.map((flight) => flight.delay)), 0);
  return `${flights.length} of ${total} flights · ${share} % on time · median delay ${median} min`;
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper;
  return (lower + upper) / 2;
}
