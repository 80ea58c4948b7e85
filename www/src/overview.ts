/** What concerns the whole page: its overall state, a feed of another site, and a start that failed. */

import { find, setText } from './dom';
import type { Code, Failure, State } from './state';
import { overall } from './state';
import { explain, overallWording } from './words';

/** With these there is no feed at all, whichever dataset is asked for. */
const PAGE_CODES: ReadonlySet<Code> = new Set<Code>(['wasm', 'invalid-url', 'invalid-options']);

export class OverviewView {
  readonly #overall: HTMLElement;
  readonly #notice: HTMLElement;
  readonly #failure: HTMLElement;
  readonly #sections: readonly HTMLElement[];

  constructor(page: ParentNode, onRetry: () => void) {
    this.#overall = find(page, '[data-part="overall"]', HTMLElement);
    this.#notice = find(page, '#feed-notice', HTMLElement);
    this.#failure = find(page, '#page-failure', HTMLElement);
    this.#sections = [...page.querySelectorAll<HTMLElement>('[data-dataset]')];
    find(this.#failure, 'button', HTMLButtonElement).addEventListener('click', onRetry);
  }

  /** `feedUrl` is `null` until the feed is open. */
  show(states: readonly State[], feedUrl: string | null): void {
    const kinds = states.map((state) => state.kind);
    const kind = overall(kinds);
    setText(this.#overall, overallWording(kind, kinds));
    this.#overall.dataset['state'] = kind;
    this.#showNotice(feedUrl);
    this.#showFailure(pageFailure(states));
  }

  /** Whoever follows a link with a foreign feed in it should know whose data this is. */
  #showNotice(feedUrl: string | null): void {
    const foreign = feedUrl !== null && new URL(feedUrl).origin !== location.origin;
    this.#notice.hidden = !foreign;
    if (foreign) setText(this.#notice, `This data comes from another site: ${feedUrl}`);
  }

  #showFailure(failure: Failure | null): void {
    if (failure !== null) {
      const part = (name: string): HTMLElement => find(this.#failure, `[data-part="${name}"]`, HTMLElement);
      const { reason, advice } = explain(failure.code);
      setText(part('reason'), reason);
      setText(part('advice'), advice);
      setText(part('code'), failure.code);
      setText(part('detail'), failure.detail ?? '');
    }
    this.#failure.hidden = failure === null;
    for (const section of this.#sections) section.hidden = failure !== null;
  }
}

/** The failure that left nothing to show because the feed could not even be opened. */
function pageFailure(states: readonly State[]): Failure | null {
  for (const state of states) {
    if (state.kind === 'failed' && state.shown === null && PAGE_CODES.has(state.why.code)) return state.why;
  }
  return null;
}
