// A localStorage with a limit, as the page would have one.

export class FakeStorage {
  #entries = new Map();

  /** `limit` counts UTF-16 units of keys and values, as browsers do. */
  constructor(limit = 5_242_879) {
    this.limit = limit;
  }

  get length() {
    return this.#entries.size;
  }

  key(index) {
    return [...this.#entries.keys()][index] ?? null;
  }

  getItem(key) {
    return this.#entries.get(key) ?? null;
  }

  setItem(key, value) {
    const others = [...this.#entries].filter(([name]) => name !== key);
    const used = others.reduce((sum, [name, text]) => sum + name.length + text.length, 0);
    if (used + key.length + value.length > this.limit) {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    }
    this.#entries.set(key, value);
  }

  removeItem(key) {
    this.#entries.delete(key);
  }

  keys() {
    return [...this.#entries.keys()].sort();
  }
}

/** Gives the global scope a localStorage; `storage` is one, or a function that its getter calls. */
export function install(storage) {
  const get = typeof storage === 'function' ? storage : () => storage;
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get });
}

/** A listener that gathers what is told of the cache. */
export const cacheEvents = (events) => (event) => event.type.startsWith('cache-') && events.push(event);
