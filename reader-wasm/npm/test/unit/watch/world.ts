/** A server, a browser and tabs that watch a feed, on one clock. */

import { LastgoodError } from '../../../src/errors.js';
import type { FallbackReading, FeedEvent, Reading } from '../../../src/types.js';
import type { Answer, Failure } from '../../../src/watch/responses.js';
import { electionOf } from '../../../src/watch/election.js';
import type { Subject, Value } from '../../../src/watch/watch.js';
import { Watches } from '../../../src/watch/watches.js';
import { FakeChannels, FakeLocks, FakeStorage } from './browser.js';
import { ManualClock } from './clock.js';
import { Answers } from './responses.js';

interface Manifest {
  readonly generation: number;
  readonly datasets: Readonly<Record<string, string>>;
}

/** Answers with one manifest, and counts. */
export class Server {
  readonly clock: ManualClock;
  manifest: Manifest = { generation: 1, datasets: { sales: 's1', stock: 't1' } };
  locked = false;
  failure: Failure | null = null;
  /** When the manifest was asked for. */
  readonly asked: number[] = [];
  /** What was downloaded, by whom. */
  readonly downloads: string[] = [];
  /** Answers wait for this. */
  gate: Promise<void> = Promise.resolve();

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  publish(datasets: Record<string, string>): void {
    const { manifest } = this;
    this.manifest = { generation: manifest.generation + 1, datasets: { ...manifest.datasets, ...datasets } };
  }

  async askManifest(): Promise<Answer> {
    this.asked.push(this.clock.now());
    await this.gate;
    return this.failure ?? bodyOf(this.manifest);
  }

  async askLock(): Promise<Answer> {
    return this.locked ? bodyOf({}) : { code: 'http', detail: '.lock: 404', status: 404 };
  }
}

const bodyOf = (document: object): Answer => ({ bytes: new TextEncoder().encode(JSON.stringify(document)), serverTime: null });

/** One browser: what its tabs share. */
export class Browser {
  readonly server: Server;
  readonly channels = new FakeChannels();
  readonly locks = new FakeLocks();
  readonly storage = new FakeStorage();
  /** The cache of payloads. */
  readonly cache = new Set<string>();

  constructor(server: Server) {
    this.server = server;
  }

  tab(name: string, { intervalMs = 30_000, share = true }: { intervalMs?: number; share?: boolean } = {}): Tab {
    return new Tab(name, this, intervalMs, share);
  }
}

/** The globals of a page. */
class Scope extends EventTarget {
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' as DocumentVisibilityState });
  readonly navigator = { onLine: true };
  readonly #signals: (AbortSignal | undefined)[] = [];

  /** How many listeners there are. */
  get listeners(): number {
    return this.#signals.filter((signal) => signal?.aborted !== true).length;
  }

  override addEventListener(...[type, listener, options]: Parameters<EventTarget['addEventListener']>): void {
    this.#signals.push(typeof options === 'object' ? options.signal : undefined);
    super.addEventListener(type, listener, options);
  }
}

/** How long a download takes. */
const DOWNLOAD_MS = 50;

export class Tab {
  readonly name: string;
  readonly watches: Watches;
  readonly events: FeedEvent[] = [];
  readonly #browser: Browser;
  readonly #intervalMs: number;
  readonly #scope = new Scope();
  readonly #values = new Map<string, object>();
  #generation = 0;

  constructor(name: string, browser: Browser, intervalMs: number, share: boolean) {
    this.name = name;
    this.#browser = browser;
    this.#intervalMs = intervalMs;
    const { clock } = browser.server;
    const elect = electionOf({ locks: browser.locks, storage: browser.storage, clock });
    this.watches = new Watches({
      intervalMs,
      minIntervalMs: 1_000,
      clock,
      page: this.#scope,
      tabs: share && elect ? { name: 'feed', elect, openChannel: browser.channels.open } : null,
      tell: (event) => this.events.push(event),
      responses: (heard) => (heard ? Answers.of(heard) : new Answers()),
      aged: () => {},
    });
  }

  /** Watches a dataset, or several; what it was told is in `told`: the payload, and the reason behind a slash. */
  watch(names: string | readonly string[], subject: Partial<Subject> = {}, signal: AbortSignal | null = null) {
    const told: string[] = [];
    const values: (Value | FallbackReading)[] = [];
    const stop = this.watches.add(
      {
        intervalMs: this.#intervalMs,
        maxAge: null,
        read: (answers, signal) => this.#read(names, answers as Answers, signal),
        onValue: (value) => {
          values.push(value);
          told.push(described(value));
        },
        onError: ({ code }) => told.push(`error ${code}`),
        fallback: null,
        wantsLock: () => true,
        held: () => null,
        copies: null,
        judge: (value) => value,
        keep: () => null,
        onChecking: () => {},
        saw: () => {},
        onEnd: () => {},
        ...subject,
      },
      signal,
    );
    return { told, values, stop };
  }

  get leads(): boolean {
    const last = this.events.filter((event) => event.type === 'leader').at(-1);
    return last?.leading ?? false;
  }

  /** How many listeners the page has. */
  get listeners(): number {
    return this.#scope.listeners;
  }

  hide(): void {
    this.#show('hidden');
  }

  unhide(): void {
    this.#show('visible');
  }

  set online(onLine: boolean) {
    this.#scope.navigator.onLine = onLine;
    this.#scope.dispatchEvent(new Event(onLine ? 'online' : 'offline'));
  }

  focus(): void {
    this.#scope.dispatchEvent(new Event('focus'));
  }

  /** Goes to the back-forward cache. */
  putAside(): void {
    this.#scope.dispatchEvent(new Event('pagehide'));
  }

  /** Comes back from there. */
  restore(): void {
    this.#scope.dispatchEvent(new Event('pageshow'));
  }

  #show(state: DocumentVisibilityState): void {
    this.#scope.document.visibilityState = state;
    this.#scope.document.dispatchEvent(new Event('visibilitychange'));
  }

  async #read(names: string | readonly string[], answers: Answers, signal: AbortSignal): Promise<Value> {
    const { server } = this.#browser;
    const desk = answers.forRead();
    const [manifest, lock] = await Promise.all([
      desk('manifest.json', () => server.askManifest()),
      desk('.lock', () => server.askLock()),
    ]);
    if (signal.aborted) throw new LastgoodError('aborted', { code: 'aborted' });
    const list = typeof names === 'string' ? [names] : names;
    const readings = await Promise.all(list.map((name) => this.#readOne(name, manifest, 'bytes' in lock)));
    const [first] = readings;
    if (first !== undefined && typeof names === 'string') return first;
    return Object.fromEntries(readings.map((reading) => [reading.dataset, reading]));
  }

  async #readOne(dataset: string, answer: Answer, locked: boolean): Promise<Reading> {
    const old = this.#values.get(dataset);
    const fallback = (code: 'offline' | 'http' | 'regressed', detail: string): Reading => {
      if (old === undefined) throw new LastgoodError(detail, { code });
      return this.#reading(dataset, old, { reason: code, detail, fresh: false, source: 'fallback' });
    };
    if ('code' in answer) return fallback(answer.code === 'http' ? 'http' : 'offline', answer.detail);
    const manifest = JSON.parse(new TextDecoder().decode(answer.bytes)) as Manifest;
    if (manifest.generation < this.#generation) return fallback('regressed', 'older');
    this.#generation = manifest.generation;
    const payload = manifest.datasets[dataset];
    if (payload === undefined) throw new LastgoodError('no such dataset', { code: 'not-found' });
    if (locked && old !== undefined) {
      return this.#reading(dataset, old, { reason: 'locked', detail: 'locked', fresh: false, source: 'cache' });
    }
    let value = old;
    if (value === undefined || described(value) !== payload) {
      value = { payload };
      if (!this.#browser.cache.has(payload)) await this.#download(payload);
    }
    this.#values.set(dataset, value);
    return this.#reading(dataset, value, {});
  }

  async #download(payload: string): Promise<void> {
    this.#browser.server.downloads.push(`${this.name} ${payload}`);
    await new Promise<void>((resolve) => this.#browser.server.clock.after(DOWNLOAD_MS, resolve));
    this.#browser.cache.add(payload);
  }

  #reading(dataset: string, data: object, members: Partial<Reading>): Reading {
    return {
      ...{ data, dataset, source: 'network', fresh: true, reason: null, detail: null, generation: this.#generation },
      ...{ sha256: described(data), publishedAt: '2026-11-20T14:39:00.000Z', ageMs: this.#browser.server.clock.now() },
      ...{ checkedAt: new Date(this.#browser.server.clock.wall()).toISOString(), meta: null, schemaVersion: null },
      cachedIn: null,
      ...members,
    };
  }
}

function described(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('payload' in value) return String(value.payload);
  if (!('data' in value)) return Object.values(value).map(described).join('+');
  const { data, reason } = value as Reading | FallbackReading;
  return reason === null ? described(data) : `${described(data)}/${reason}`;
}
