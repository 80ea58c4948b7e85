// Cache Storage as the page would have it, with a quota: the parts of the Cache interface that take addresses and requests.
//
// As in browsers, nothing is there at once: each operation ends in a later task, what is put is read to the end before it is kept, and
// each `match` gives a response of its own.

const later = () => new Promise((resolve) => setImmediate(resolve));

export class FakeCaches {
  #caches = new Map();

  /** `quota` counts the bytes of all bodies. */
  constructor(quota = Infinity) {
    this.quota = quota;
  }

  async open(name) {
    await later();
    let cache = this.#caches.get(name);
    if (!cache) this.#caches.set(name, (cache = new FakeCache(this)));
    return cache;
  }

  async keys() {
    return [...this.#caches.keys()];
  }

  async match(request) {
    for (const cache of this.#caches.values()) {
      const found = await cache.match(request);
      if (found) return found;
    }
    return undefined;
  }

  get used() {
    let used = 0;
    for (const cache of this.#caches.values()) for (const { body } of cache.entries.values()) used += body.byteLength;
    return used;
  }
}

class FakeCache {
  /** Address → what is kept under it. */
  entries = new Map();
  #caches;

  constructor(caches) {
    this.#caches = caches;
  }

  async match(request) {
    await later();
    const found = this.entries.get(address(request));
    return found && new Response(found.body.slice(0), { status: found.status, headers: found.headers });
  }

  async put(request, response) {
    const url = address(request);
    if (!/^https?:/.test(url)) throw new TypeError("Request scheme is unsupported");
    if (response.status === 206) throw new TypeError('Partial response (status code 206) is unsupported');
    if (response.bodyUsed) throw new TypeError('Response body is already used');
    const body = await response.arrayBuffer();
    await later();
    const before = this.entries.get(url)?.body.byteLength ?? 0;
    if (this.#caches.used - before + body.byteLength > this.#caches.quota) {
      throw new DOMException('Quota exceeded.', 'QuotaExceededError');
    }
    this.entries.delete(url);
    this.entries.set(url, { body, status: response.status, headers: new Headers(response.headers) });
  }

  async delete(request) {
    await later();
    return this.entries.delete(address(request));
  }

  async keys() {
    await later();
    return [...this.entries.keys()].map((url) => new Request(url));
  }
}

function address(request) {
  return typeof request === 'string' ? new URL(request).href : request.url;
}

/** Gives the global scope Cache Storage; `caches` is one, nothing, or a function that its getter calls. */
export function installCaches(caches) {
  const get = typeof caches === 'function' ? caches : () => caches;
  Object.defineProperty(globalThis, 'caches', { configurable: true, get });
}
