/** One dataset on the page: reads it, checks its shape, shows it. */

import type { Reading } from 'lastgood';

import { find } from './dom';
import type { Clock, Outcome } from './poll';
import { Poller } from './poll';
import { ShapeError } from './shapes';
import type { Failure, State } from './state';
import { afterFailure, afterReading } from './state';
import { StatusView } from './status';

/** Shows values of one shape. */
export interface View<T> {
  /** Called for changed payloads alone; `generation` is the one that the payload came with. */
  render(value: T, generation: number): void;
}

export interface DatasetOptions<T> {
  readonly section: HTMLElement;
  readonly title: string;
  readonly read: () => Promise<Reading>;
  /** What a rejected `read` means. */
  readonly explainError: (error: unknown) => Failure;
  /** @throws {ShapeError} when the payload is not what the view shows */
  readonly parse: (payload: unknown) => T;
  readonly view: View<T>;
  readonly clock: Clock;
  readonly onChange: () => void;
}

export class Dataset<T> {
  readonly poller: Poller;
  readonly #options: DatasetOptions<T>;
  readonly #status: StatusView;
  readonly #content: HTMLElement;
  #state: State = { kind: 'loading' };
  /** SHA-256 of the payload on the page. */
  #rendered: string | null = null;

  constructor(options: DatasetOptions<T>) {
    this.#options = options;
    this.#content = find(options.section, '[data-part="content"]', HTMLElement);
    this.poller = new Poller(() => this.#refresh(), options.clock, () => this.tick());
    this.#status = new StatusView(options.section, options.title, () => this.poller.wake());
  }

  get state(): State {
    return this.#state;
  }

  /** Brings ages and countdowns up to now. */
  tick(): void {
    this.#status.tick(this.poller, this.#options.clock.now());
  }

  async #refresh(): Promise<Outcome> {
    let reading: Reading;
    try {
      reading = await this.#options.read();
    } catch (error) {
      this.#enter(afterFailure(this.#options.explainError(error), this.#state));
      return 'bad';
    }
    try {
      this.#render(reading);
    } catch (error) {
      const unexpected = error instanceof ShapeError;
      this.#enter(afterFailure({ code: unexpected ? 'unexpected-shape' : 'unknown', detail: String(error) }, this.#state));
      // A mistake of the view: visitors were told, the page's error log is told by the poller.
      if (!unexpected) throw error;
      return 'bad';
    }
    this.#enter(afterReading(reading, this.#options.clock.now()));
    return this.#state.kind === 'fresh' ? 'good' : this.#state.kind === 'updating' ? 'busy' : 'bad';
  }

  #render(reading: Reading): void {
    if (reading.sha256 === this.#rendered) return;
    const value = this.#options.parse(reading.data);
    // Revealed first: a chart measures the room that it has.
    this.#content.hidden = false;
    this.#options.view.render(value, reading.generation);
    this.#content.removeAttribute('aria-busy');
    this.#rendered = reading.sha256;
  }

  #enter(state: State): void {
    this.#state = state;
    // With nothing rendered yet there are only placeholders, and these promise data that is not coming.
    if (state.kind === 'failed') this.#content.hidden = this.#rendered === null;
    this.#status.show(state);
    this.tick();
    this.#options.onChange();
  }
}
