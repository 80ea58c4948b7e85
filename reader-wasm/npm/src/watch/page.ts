/** What the page tells of itself: whether anybody can see it, and whether there is a network. */

export interface PageState {
  /** Whether it is worth keeping anything current: not hidden, frozen, or put aside for the back button. */
  readonly active: boolean;
  /** What the browser believes, which is wrong now and then. */
  readonly online: boolean;
}

/** The globals that matter here. Workers have no `document`, Node has none of them. */
export interface PageScope {
  readonly document?: EventTarget & { readonly visibilityState: DocumentVisibilityState };
  readonly navigator?: { readonly onLine?: boolean };
  readonly addEventListener?: EventTarget['addEventListener'];
  readonly removeEventListener?: EventTarget['removeEventListener'];
}

export class Page {
  readonly #scope: PageScope;
  readonly #onChange: (focused: boolean) => void;
  readonly #end = new AbortController();
  /** Between `pagehide` and `pageshow`, `freeze` and `resume`: `visibilityState` is not to be relied on then. */
  #asleep = false;

  /**
   * `onChange` is called for each event; `focused` when the window got the focus, which may be all that has changed.
   */
  constructor(onChange: (focused: boolean) => void, scope: PageScope = globalThis) {
    this.#scope = scope;
    this.#onChange = onChange;
    const { document } = scope;
    if (document !== undefined) {
      this.#listen(document, 'visibilitychange');
      this.#listen(document, 'freeze', () => (this.#asleep = true));
      this.#listen(document, 'resume', () => (this.#asleep = false));
    }
    // A page in the back-forward cache is not told that it is hidden before it goes there.
    this.#listen(scope, 'pagehide', () => (this.#asleep = true));
    this.#listen(scope, 'pageshow', () => (this.#asleep = false));
    this.#listen(scope, 'online');
    this.#listen(scope, 'offline');
    this.#listen(scope, 'focus', () => {}, true);
  }

  get state(): PageState {
    const { document, navigator } = this.#scope;
    return {
      active: !this.#asleep && document?.visibilityState !== 'hidden',
      online: navigator?.onLine !== false,
    };
  }

  /** Listens no more. */
  end(): void {
    this.#end.abort();
  }

  #listen(
    target: Pick<PageScope, 'addEventListener'>,
    type: string,
    note: () => void = () => {},
    focused: boolean = false,
  ): void {
    const listener = (): void => {
      note();
      this.#onChange(focused);
    };
    target.addEventListener?.(type, listener, { signal: this.#end.signal });
  }
}
