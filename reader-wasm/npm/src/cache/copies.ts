/**
 * The copies of one feed's payloads between visits: which store has what, and in which order it is written.
 *
 * Heads and memories are in localStorage, and in Cache Storage where there is none (in workers). A payload is in the same store as its head
 * or, when it does not fit localStorage or is an artifact, in Cache Storage.
 *
 * Several calls and tabs may write at once. The payload goes before its head, so that a head never names what is not there yet; what
 * the head before named goes last, so that at each moment, and after a crash at each moment, the head that stands finds its payload.
 *
 * @module
 */

import type { Tell } from '../events.js';
import { describe } from '../options.js';
import { parseHead, type CoreReading, type Head } from '../read/core.js';
import { readArtifact, readJson, type Payload } from '../read/payload.js';
import { encoded } from '../read/utf8.js';
import type { Reading } from '../types.js';
import { Blobs, type Blobbed } from './blobs.js';
import { inOrder, type Candidate } from './eviction.js';
import { datasetOfHead, headKey, memoryKey, type PayloadKey } from './keys.js';
import { LocalStore, type Kept } from './local.js';

/**
 * Longer texts, in UTF-16 units, go to Cache Storage at once: a third of what localStorage holds for all of an origin's code. Two or
 * three of them would push everything else out, and writing them there stops the page.
 */
export const LARGE = Math.floor(5_242_879 / 3);

type Place = NonNullable<Reading['cachedIn']>;

/** A copy as a read finds it. */
export interface Copy {
  readonly head: string;
  /** Loads the payload, verified or not; nothing when it is gone. */
  load(): Promise<Payload | null>;
}

/** Once is enough, however often it is met: two stores that a browser blocks together are one piece of news. */
function unavailableOnce(tell: Tell): Tell {
  let told = false;
  return (event) => {
    if (event.type === 'cache-unavailable' && told) return;
    told ||= event.type === 'cache-unavailable';
    tell(event);
  };
}

/** What heads and memories are in. */
interface Texts {
  text(key: string): string | null | Promise<string | null>;
  putText(key: string, text: string): boolean | Promise<boolean>;
  removeText(key: string): void | Promise<void>;
}

export class Copies {
  readonly #feed: string;
  readonly #tell: Tell;
  readonly #local: LocalStore | null;
  readonly #blobs: Blobs | null;
  readonly #texts: Texts;

  constructor(feed: string, cache: 'auto' | 'localStorage', tell: Tell) {
    this.#feed = feed;
    this.#tell = unavailableOnce(tell);
    const blobs = cache === 'auto' && Blobs.exist();
    // Without either, localStorage says that it is not there.
    const local = LocalStore.exists() || !blobs;
    this.#local = local ? new LocalStore(this.#tell) : null;
    this.#blobs = blobs ? new Blobs(local ? 'local' : 'own', this.#tell) : null;
    this.#texts = (this.#local ?? this.#blobs) as Texts;
  }

  async memory(): Promise<string | null> {
    return this.#texts.text(memoryKey(this.#feed));
  }

  async keepMemory(memory: string): Promise<void> {
    // Without it a replay goes unnoticed in the next visit; there is nothing else to be done about it.
    await this.#texts.putText(memoryKey(this.#feed), memory);
  }

  /** The head of a dataset as it is kept, readable or not. */
  async head(dataset: string): Promise<string | null> {
    return this.#texts.text(this.#key(dataset));
  }

  /** Replaces a head alone: its payload is the same. */
  async keepHead(dataset: string, head: string): Promise<boolean> {
    return this.#texts.putText(this.#key(dataset), head);
  }

  /** What is kept of a dataset. */
  async find(dataset: string): Promise<Copy | null> {
    const key = this.#key(dataset);
    const head = await this.#texts.text(key);
    if (head === null) return null;
    // Along with its head: another tab may replace both at any moment.
    const text = this.#local?.payload(key) ?? null;
    if (!parseHead(head)) return this.#corrupt(dataset, 'what is known of the cached copy cannot be read');
    if (text === null && !this.#blobs) return this.#corrupt(dataset, 'the cached copy is gone');
    return { head, load: () => this.#load(dataset, head, text) };
  }

  /** Removes the payloads that have one of these digests, and the heads that name them. */
  async purge(digests: ReadonlySet<string>): Promise<void> {
    const heads = headKey(this.#feed, '');
    this.#local?.purge(heads, digests);
    await this.#blobs?.purge(heads, digests);
  }

  /** Where the payload that a head names is kept, if it is. */
  async place(dataset: string, sha256: string): Promise<Place | null> {
    const key = this.#key(dataset);
    if (this.#blobs && (await this.#blobs.payload({ headKey: key, sha256 })) !== null) return 'cacheStorage';
    return this.#local?.payload(key) != null ? 'localStorage' : null;
  }

  /** Keeps a payload that was downloaded, with its head; `all` are the datasets of the call. Says where, if anywhere. */
  async keep({ dataset, head, sha256 }: CoreReading, payload: Payload, all: readonly string[]): Promise<Place | null> {
    const before = parseHead((await this.head(dataset)) ?? '');
    // Of an artifact there is none.
    const text = typeof payload.text === 'string' ? payload.text : null;
    const problems: string[] = [];
    for (const place of this.#places(text)) {
      // Trying another place took its time, in which another tab may have kept a later generation: it stays.
      if (isLater((await this.head(dataset)) ?? '', head)) return null;
      const kept =
        place === 'localStorage'
          ? this.#keepLocally(dataset, head, text ?? '', all)
          : await this.#keepAsBlob(dataset, head, payload, all);
      if (kept.kept) {
        // A text that could have been in either place is found by the next sweep.
        const moved = before && before.sha256 !== sha256 && (place === 'cacheStorage' || isForBlobs(before));
        if (moved) await this.#blobs?.removePayload({ headKey: this.#key(dataset), sha256: before.sha256 });
        if (place === 'cacheStorage') await this.#sweep();
        return place;
      }
      if (kept.full !== null) problems.push(kept.full);
    }
    if (text === null && !this.#blobs) problems.push('artifacts are kept in Cache Storage, which is not used or not there');
    if (problems.length > 0) this.#tell({ type: 'cache-full', dataset, detail: problems.join('; ') });
    return null;
  }

  /** Where to try to keep a payload, one after the other. */
  #places(text: string | null): Place[] {
    const local: Place[] = this.#local && text !== null ? ['localStorage'] : [];
    const blobs: Place[] = this.#blobs ? ['cacheStorage'] : [];
    return text !== null && text.length > LARGE ? [...blobs, ...local] : [...local, ...blobs];
  }

  #keepLocally(dataset: string, head: string, text: string, all: readonly string[]): Kept {
    const spare = all.map((name) => this.#key(name));
    return this.#local?.keep(this.#key(dataset), head, text, spare) ?? NOWHERE;
  }

  async #keepAsBlob(dataset: string, head: string, payload: Payload, all: readonly string[]): Promise<Kept> {
    const key = this.#key(dataset);
    const put = await this.#putBlob({ headKey: key, sha256: payload.sha256 }, payload, all);
    if (!put.kept) return put;
    // Writing took its time as well.
    const now = await this.#texts.text(key);
    const overtaken = now !== null && isLater(now, head);
    if (!overtaken && (await this.#texts.putText(key, head))) {
      // Only now: the head before needed it.
      this.#local?.dropPayload(key);
      return put;
    }
    if (parseHead(now ?? '')?.sha256 !== payload.sha256) {
      await this.#blobs?.removePayload({ headKey: key, sha256: payload.sha256 });
    }
    return { kept: false, full: overtaken ? null : 'there is no room for what must be known of the copy' };
  }

  /** Writes, and makes room when there is none. */
  async #putBlob(key: PayloadKey, { bytes, data }: Payload, all: readonly string[]): Promise<Kept> {
    const blobs = this.#blobs;
    if (!blobs || !bytes) return NOWHERE;
    const blob = { bytes, type: data instanceof Blob ? data.type : 'application/json' };
    const spare = all.map((name) => this.#key(name));
    let { kept, problem } = await blobs.putPayload(key, blob);
    if (kept || problem === null) return kept ? { kept } : NOWHERE;
    for (const candidate of inOrder(await this.#candidates(spare), bytes.length)) {
      await blobs.removePayload(candidate);
      if (candidate.head) {
        await this.#texts.removeText(candidate.headKey);
        this.#tell({ type: 'cache-evicted', dataset: datasetOfHead(candidate.headKey) });
      }
      ({ kept, problem } = await blobs.putPayload(key, blob));
      if (kept) return { kept };
      if (problem === null) return NOWHERE;
    }
    return { kept: false, full: describe(problem) };
  }

  /** The payloads in Cache Storage, of whichever feed, that may be removed to make room: those that no head names have none here. */
  async #candidates(spare: readonly string[]): Promise<(Candidate & PayloadKey)[]> {
    const candidates: (Candidate & PayloadKey)[] = [];
    for (const { headKey, sha256, young } of (await this.#blobs?.payloads()) ?? []) {
      const named = parseHead((await this.#texts.text(headKey)) ?? '');
      const head = named?.sha256 === sha256 ? named : null;
      if (head ? !spare.includes(headKey) : !young) candidates.push({ headKey, sha256, head });
    }
    return candidates;
  }

  /** Removes what tabs that were closed, or storage that was cleared, have left behind: payloads that no head names. */
  async #sweep(): Promise<void> {
    for (const candidate of await this.#candidates([])) {
      if (!candidate.head) await this.#blobs?.removePayload(candidate);
    }
  }

  /**
   * A cached text goes the way of bytes from the network, so that the value is made of what was hashed: an altered text may hold
   * what UTF-8 cannot, such as half a surrogate pair.
   */
  async #load(dataset: string, head: string, text: string | null): Promise<Payload | null> {
    const { sha256 = '', ext = 'json', size = 0 } = parseHead(head) ?? {};
    const make = async (place: Place, { bytes, type }: Blobbed): Promise<Payload> => {
      const payload = ext === 'json' ? await readJson(bytes) : await readArtifact(bytes, type);
      return { ...payload, cachedIn: place };
    };
    let found = text === null ? null : await make('localStorage', { bytes: encoded(text, size), type: '' });
    if (found?.sha256 === sha256) return found;
    // A text of another digest was left by a tab that was closed between writing the head and removing the text.
    const blob = await this.#blobs?.payload({ headKey: this.#key(dataset), sha256 });
    if (blob) found = await make('cacheStorage', blob);
    if (found?.sha256 === sha256) return found;
    // Another tab was faster, and has replaced the head as well: nothing is wrong with its copy.
    const now = parseHead((await this.head(dataset)) ?? '');
    if (now?.sha256 === sha256) this.#corrupt(dataset, `the cached copy ${found ? 'has been altered' : 'is gone'}`);
    return found;
  }

  #corrupt(dataset: string, detail: string): null {
    this.#tell({ type: 'cache-corrupt', dataset, detail });
    return null;
  }

  #key(dataset: string): string {
    return headKey(this.#feed, dataset);
  }
}

const NOWHERE: Kept = { kept: false, full: null };

/** Whether a payload is one that would go to Cache Storage first. */
function isForBlobs({ size, ext }: Head): boolean {
  return ext !== undefined || size > LARGE;
}

/** Whether a head is of a later generation of the same feed than another. */
export function isLater(head: string, other: string): boolean {
  const [one, two] = [parseHead(head), parseHead(other)];
  return one !== null && two !== null && one.feed === two.feed && one.confirmed > two.confirmed;
}
