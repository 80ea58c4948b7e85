/** A feed in memory, and the server of it. */

import { LastgoodError } from '../errors.js';

/** What is published under each name. */
export interface Publication {
  readonly [name: string]: { readonly content: string | Uint8Array; readonly ext: string };
}

/** What a manifest says of a dataset. */
interface Entry {
  readonly sha256: string;
  readonly size: number;
  readonly generation: number;
  readonly published_at: string;
  readonly ext?: string;
  readonly meta?: unknown;
  readonly expires_at?: string;
}

/** Why nothing is answered: as {@link Absence} in `testing.ts`. */
type Absence = 'offline' | 'hangs' | number;

/** A response, as far as a `fetch` of one's own must give one. */
interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A lease that no test outlives. */
const LEASE_MS = 60_000;

let feeds = 0;

export class FeedInMemory {
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: string[] = [];
  absence: Absence | null = null;
  readonly #id: string;
  readonly #entries = new Map<string, Entry>();
  readonly #withdrawn: Record<string, string> = {};
  /** By path, what is served, and of which dataset it is. */
  readonly #files = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly of?: string }>();
  /** The datasets whose bytes are not served as they were published. */
  readonly #damaged = new Set<string>();
  #generation = 0;

  constructor() {
    feeds += 1;
    // No two of them share what is kept of a feed.
    this.#id = `00000000-0000-4000-8000-${feeds.toString(16).padStart(12, '0')}`;
    this.url = `https://feed-${feeds}.test/data/`;
  }

  async publish(
    publication: Publication,
    { meta, expiresAt, publishedAt = new Date() }: { meta?: unknown; expiresAt?: Date; publishedAt?: Date } = {},
  ): Promise<void> {
    const generation = this.#generation + 1;
    for (const [name, { content, ext }] of Object.entries(publication)) {
      if (content === undefined) throw mistake(`cannot publish "${name}": it is no JSON value`);
      const bytes = bytesOf(content);
      const sha256 = await digest(bytes);
      this.#entries.set(name, {
        sha256,
        size: bytes.length,
        generation,
        published_at: publishedAt.toISOString(),
        ...(ext !== 'json' && { ext }),
        ...(meta !== undefined && { meta }),
        ...(expiresAt && { expires_at: expiresAt.toISOString() }),
      });
      delete this.#withdrawn[name];
      this.#files.set(`objects/${sha256}.${ext}`, { bytes, of: name });
      this.#files.set(`${name}.${ext}`, { bytes, of: name });
    }
    await this.#commit(publishedAt);
  }

  async remove(names: readonly string[]): Promise<void> {
    const now = new Date();
    for (const name of names) {
      this.#entry(name);
      this.#entries.delete(name);
      this.#withdrawn[name] = now.toISOString();
      this.#files.delete(`${name}.json`);
    }
    await this.#commit(now);
  }

  damage(names: readonly string[]): void {
    for (const name of names) {
      this.#entry(name);
      this.#damaged.add(name);
    }
  }

  repair(): void {
    this.#damaged.clear();
  }

  lock(names: readonly string[]): void {
    const now = Date.now();
    const marker = {
      format: 1,
      holder: { host: 'test', pid: 1, token: 'test' },
      datasets: names.length > 0 ? names : [...this.#entries.keys()],
      acquired_at: new Date(now).toISOString(),
      expires_at: new Date(now + LEASE_MS).toISOString(),
    };
    this.#files.set('.lock', { bytes: bytesOf(JSON.stringify(marker)) });
  }

  unlock(): void {
    this.#files.delete('.lock');
  }

  /** For the option `fetch` of `open`. */
  readonly fetch = async (address: unknown, { signal }: { signal?: AbortSignal | null } = {}): Promise<Answer> => {
    const path = String(address).slice(this.url.length);
    this.requests.push(path);
    if (this.absence === 'offline') throw new TypeError('Failed to fetch');
    if (this.absence === 'hangs') await aborted(signal);
    const bytes = typeof this.absence === 'number' ? undefined : this.#served(path);
    const status = typeof this.absence === 'number' ? this.absence : bytes ? 200 : 404;
    const headers: { readonly [name: string]: string } = {
      'content-type': path.endsWith('.json') || path.startsWith('.') ? 'application/json' : 'application/octet-stream',
      // Ages and lock markers go by the server's time.
      date: new Date().toUTCString(),
    };
    return {
      status,
      headers: { get: (name) => headers[name.toLowerCase()] ?? null },
      arrayBuffer: async () => (bytes ?? new Uint8Array()).buffer,
    };
  };

  /** A copy of its own, which whoever gets it may hand on. */
  #served(path: string): Uint8Array<ArrayBuffer> | undefined {
    const file = this.#files.get(path);
    const isDamaged = file?.of !== undefined && this.#damaged.has(file.of);
    return file?.bytes.map((byte) => (isDamaged ? byte ^ 1 : byte));
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw mistake(`nothing is published under "${name}": there are ${[...this.#entries.keys()].join(', ')}`);
    return entry;
  }

  async #commit(publishedAt: Date): Promise<void> {
    this.#generation += 1;
    const signed = JSON.stringify({
      format: 1,
      feed: this.#id,
      generation: this.#generation,
      commit: this.#generation.toString(16).padStart(32, '0'),
      published_at: publishedAt.toISOString(),
      expires_at: null,
      datasets: Object.fromEntries(this.#entries),
      ...(Object.keys(this.#withdrawn).length > 0 && { withdrawn: this.#withdrawn }),
    });
    const sha256 = await digest(bytesOf(signed));
    const manifest = `{"signed":${signed},"sha256":"${sha256}","signatures":[]}`;
    this.#files.set('manifest.json', { bytes: bytesOf(manifest) });
  }
}

/** Rejects when it is aborted, and never resolves. */
function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason));
  });
}

function bytesOf(content: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // jsdom has none of its own.
  const node = globalThis.process?.getBuiltinModule?.('node:crypto');
  const { subtle } = globalThis.crypto?.subtle ? globalThis.crypto : (node?.webcrypto ?? crypto);
  const sha256 = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(sha256, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function mistake(message: string): LastgoodError {
  return new LastgoodError(message, { code: 'invalid-options' });
}
