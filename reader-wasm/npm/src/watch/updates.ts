/** A watch as an async iterator. */

/** Begins a watch that tells values to `push`, and `end` when it has ended; returns what ends it. */
export type Subscribe<T> = (push: (value: T) => void, end: () => void) => () => void;

/**
 * The watch begins with the first `next`, so that an iterator which nobody iterates over costs nothing. Of the values
 * that come between two calls of `next` only the latest is kept.
 */
export function updatesOf<T>(subscribe: Subscribe<T>): AsyncIterableIterator<T, undefined> {
  return new Updates(subscribe);
}

type Result<T> = IteratorResult<T, undefined>;

const DONE: Result<never> = { done: true, value: undefined };

class Updates<T> implements AsyncIterableIterator<T, undefined> {
  readonly #subscribe: Subscribe<T>;
  /** Ends the watch; `null` before it has begun. */
  #stop: (() => void) | null = null;
  #ended = false;
  /** What nobody has asked for yet. */
  #latest: { readonly value: T } | null = null;
  /** Those who have asked for what is not there yet. */
  readonly #asking: ((result: Result<T>) => void)[] = [];

  constructor(subscribe: Subscribe<T>) {
    this.#subscribe = subscribe;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<T>> {
    if (this.#ended) return Promise.resolve(DONE);
    const latest = this.#latest;
    this.#latest = null;
    if (latest !== null) return Promise.resolve({ done: false, value: latest.value });
    const result = new Promise<Result<T>>((resolve) => this.#asking.push(resolve));
    this.#stop ??= this.#subscribe(
      (value) => this.#push(value),
      () => this.#finish(),
    );
    return result;
  }

  /** Called by `break`, `return` and `throw` inside `for await`. */
  return(): Promise<Result<T>> {
    this.#stop?.();
    this.#finish();
    return Promise.resolve(DONE);
  }

  #push(value: T): void {
    const ask = this.#asking.shift();
    if (ask) ask({ done: false, value });
    else this.#latest = { value };
  }

  #finish(): void {
    this.#ended = true;
    this.#latest = null;
    for (const ask of this.#asking.splice(0)) ask(DONE);
  }
}
