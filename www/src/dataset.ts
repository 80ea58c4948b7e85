/** One dataset on the page: checks its shape, shows it, and says how it is. */

import type { Reading } from 'lastgood';

import { find } from './dom';
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
  /** @throws {ShapeError} when the payload is not what the view shows */
  readonly parse: (payload: unknown) => T;
  readonly view: View<T>;
  /** Looks at the feed now; resolves when that is done. */
  readonly retry: () => Promise<void>;
  /** Milliseconds that only rise. */
  readonly now: () => number;
  readonly onChange: () => void;
}

export class Dataset<T> {
  readonly #options: DatasetOptions<T>;
  readonly #status: StatusView;
  readonly #content: HTMLElement;
  #state: State = { kind: 'loading' };
  #retrying = false;
  /** SHA-256 of the payload on the page. */
  #rendered: string | null = null;

  constructor(options: DatasetOptions<T>) {
    this.#options = options;
    this.#content = find(options.section, '[data-part="content"]', HTMLElement);
    this.#status = new StatusView(options.section, options.title, () => void this.#retry());
  }

  get state(): State {
    return this.#state;
  }

  /** Brings ages up to now. */
  tick(): void {
    this.#status.tick(this.#retrying, this.#options.now());
  }

  /** Takes a reading. What a view throws is thrown on: visitors are told, and so is the page's error log. */
  show(reading: Reading): void {
    try {
      this.#render(reading);
    } catch (error) {
      const unexpected = error instanceof ShapeError;
      this.fail({ code: unexpected ? 'unexpected-shape' : 'unknown', detail: String(error) });
      if (!unexpected) throw error;
      return;
    }
    this.#enter(afterReading(reading, this.#options.now()));
  }

  /** Takes that there is no reading. */
  fail(why: Failure): void {
    this.#enter(afterFailure(why, this.#state));
  }

  async #retry(): Promise<void> {
    if (this.#retrying) return;
    this.#retrying = true;
    this.tick();
    try {
      await this.#options.retry();
    } finally {
      this.#retrying = false;
      this.tick();
    }
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
