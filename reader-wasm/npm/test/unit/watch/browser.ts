/** What a browser has for tabs of one origin, in memory: locks, storage, and channels. */

interface Held {
  readonly lose: (error: DOMException) => void;
}

/** Web Locks: exclusive ones, granted in the order of asking. */
export class FakeLocks implements Pick<LockManager, 'request' | 'query'> {
  /** Documents without an origin have the interface, and are refused its use. */
  refuse = false;
  readonly #held = new Map<string, Held>();
  readonly #waiting: { readonly name: string; readonly grant: () => void }[] = [];

  async request(name: string, options: unknown, callback?: unknown): Promise<never> {
    if (this.refuse) throw new DOMException('no origin', 'SecurityError');
    const { signal } = options as { signal: AbortSignal };
    signal.throwIfAborted();
    if (this.#held.has(name)) await this.#turn(name, signal);
    const lost = new Promise<never>((_, reject) => this.#held.set(name, { lose: reject }));
    lost.catch(() => {});
    const held = this.#held.get(name);
    try {
      return (await Promise.race([(callback as (lock: Lock) => Promise<unknown>)({ name, mode: 'exclusive' }), lost])) as never;
    } finally {
      if (this.#held.get(name) === held) this.#release(name);
    }
  }

  async query(): Promise<LockManagerSnapshot> {
    return { held: [...this.#held.keys()].map((name) => ({ name })), pending: [] };
  }

  /** Takes a lock from whoever has it; the returned function lets it go. */
  steal(name: string): () => void {
    this.#held.get(name)?.lose(new DOMException('stolen', 'AbortError'));
    this.#held.set(name, { lose: () => {} });
    return () => this.#release(name);
  }

  #turn(name: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = { name, grant: resolve };
      this.#waiting.push(entry);
      signal.addEventListener('abort', () => {
        if (!this.#waiting.includes(entry)) return;
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(new DOMException('aborted', 'AbortError'));
      });
    });
  }

  #release(name: string): void {
    this.#held.delete(name);
    const next = this.#waiting.findIndex((entry) => entry.name === name);
    if (next >= 0) this.#waiting.splice(next, 1)[0]?.grant();
  }
}

export class FakeStorage implements Storage {
  full = false;
  readonly #entries = new Map<string, string>();
  [name: string]: unknown;

  get length(): number {
    return this.#entries.size;
  }

  key(index: number): string | null {
    return [...this.#entries.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.#entries.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.full) throw new DOMException('full', 'QuotaExceededError');
    this.#entries.set(key, value);
  }

  removeItem(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** Channels: each message is copied to all others of the same name, later. */
export class FakeChannels {
  readonly #open = new Set<FakeChannel>();
  /** Messages get lost. */
  broken = false;

  get size(): number {
    return this.#open.size;
  }

  readonly open = (name: string): FakeChannel => {
    const channel = new FakeChannel(
      name,
      (message) => this.#send(channel, message),
      () => this.#open.delete(channel),
    );
    this.#open.add(channel);
    return channel;
  };

  /** A message of some other code of the origin. */
  inject(message: unknown): void {
    for (const channel of this.#open) channel.onmessage?.(new MessageEvent('message', { data: message }));
  }

  #send(from: FakeChannel, message: unknown): void {
    if (this.broken) return;
    for (const channel of this.#open) {
      if (channel === from || channel.name !== from.name) continue;
      const data: unknown = structuredClone(message);
      queueMicrotask(() => {
        if (this.#open.has(channel)) channel.onmessage?.(new MessageEvent('message', { data }));
      });
    }
  }
}

export class FakeChannel {
  readonly name: string;
  readonly postMessage: (message: unknown) => void;
  readonly close: () => void;
  onmessage: ((event: MessageEvent) => void) | null = null;

  constructor(name: string, postMessage: (message: unknown) => void, close: () => void) {
    this.name = name;
    this.postMessage = postMessage;
    this.close = close;
  }
}
