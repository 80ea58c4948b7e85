/** Shows the state of one dataset: badge, words, and the details for its operator. */

import { create, find, setText } from './dom';
import { textNotes } from './shapes';
import type { State } from './state';
import { announcement, LABELS, wordingOf } from './words';

export class StatusView {
  readonly #section: HTMLElement;
  readonly #title: string;
  readonly #badge: HTMLElement;
  readonly #summary: HTMLElement;
  readonly #note: HTMLElement;
  readonly #next: HTMLElement;
  readonly #retry: HTMLButtonElement;
  readonly #live: HTMLElement;
  readonly #details: HTMLElement;
  #state: State = { kind: 'loading' };

  constructor(section: HTMLElement, title: string, onRetry: () => void) {
    const part = (name: string): HTMLElement => find(section, `[data-part="${name}"]`, HTMLElement);
    this.#section = section;
    this.#title = title;
    this.#badge = part('badge');
    this.#summary = part('summary');
    this.#note = part('note');
    this.#next = part('next');
    this.#retry = find(section, 'button[data-part="retry"]', HTMLButtonElement);
    this.#live = part('live');
    this.#details = part('details');
    this.#retry.addEventListener('click', onRetry);
  }

  /** A new state. */
  show(state: State): void {
    const told = announcement(this.#title, this.#state, state);
    if (told !== null) setText(this.#live, told);
    this.#state = state;

    const { dataset } = this.#section;
    dataset['state'] = state.kind;
    dataset['reason'] = 'why' in state ? state.why.code : '';
    const shown = state.kind === 'loading' ? null : state.shown;
    dataset['generation'] = shown === null ? '' : String(shown.generation);
    dataset['source'] = shown === null ? '' : shown.source;
    setText(this.#badge, LABELS[state.kind]);
    this.#showDetails();
  }

  /** The passing of time; `retrying` while a try that somebody asked for is under way. */
  tick(retrying: boolean, now: number): void {
    const { summary, note } = wordingOf(this.#state, now);
    setText(this.#summary, summary);
    setText(this.#note, note);
    const failing = this.#state.kind === 'cached' || this.#state.kind === 'failed';
    setText(this.#next, failing ? (retrying ? 'Trying now…' : 'The page tries again by itself.') : '');
    this.#retry.hidden = !failing;
    // Not `disabled`: that would take the focus away from whoever just pressed it.
    this.#retry.setAttribute('aria-disabled', String(retrying));
  }

  #showDetails(): void {
    const rows = detailsOf(this.#state);
    const names = [...this.#details.querySelectorAll('dt')];
    const values = [...this.#details.querySelectorAll('dd')];
    // Values that are replaced in place keep a selection that someone is about to copy.
    if (rows.length === names.length && rows.every(([name], index) => names[index]?.textContent === name)) {
      rows.forEach(([, value], index) => {
        const element = values[index];
        if (element !== undefined) setText(element, value);
      });
      return;
    }
    this.#details.replaceChildren(
      ...rows.map(([name, value]) => {
        const row = create('div', '');
        row.append(create('dt', name), create('dd', value));
        return row;
      }),
    );
  }
}

function detailsOf(state: State): readonly (readonly [name: string, value: string])[] {
  if (state.kind === 'loading') return [];
  const rows: (readonly [string, string])[] = [];
  if ('why' in state) {
    rows.push(['Code', state.why.code]);
    if (state.why.detail !== null) rows.push(['Detail', state.why.detail]);
  }
  if (state.shown !== null) {
    const { source, sha256, publishedAt, meta } = state.shown;
    rows.push(['Served from', SOURCES[source]], ['Published', publishedAt], ['SHA-256', sha256]);
    rows.push(...textNotes(meta));
  }
  return rows;
}

const SOURCES = {
  network: 'the feed, downloaded',
  cache: 'the stored copy, confirmed as current or held while the feed is updated',
  fallback: 'the stored copy',
  page: 'the memory of this page',
} as const;
