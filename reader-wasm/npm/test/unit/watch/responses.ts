/**
 * Stands for the module's responses in simulations: what the server answers to the requests of one look: the manifest and the lock marker, which all reads of the look
 * share, and which other tabs are told.
 */

import type { Answer, SharedResponses, Told } from '../../../src/watch/responses.js';

const MANIFEST = 'manifest.json';
const LOCK = '.lock';

/** Answers a request for one of the two files; `ask` does it by the network. */
export type Desk = (path: string, ask: () => Promise<Answer>) => Promise<Answer>;

export class Answers implements SharedResponses {
  readonly #answers = new Map<string, Promise<Answer>>();

  /** The answers that another tab has got. */
  static of({ manifest, lock }: Told): Answers {
    const answers = new Answers();
    answers.#answers.set(MANIFEST, Promise.resolve(manifest));
    if (lock !== null) answers.#answers.set(LOCK, Promise.resolve(lock));
    return answers;
  }

  /** For one read. A read that asks for the same file again wants to know anew, because the first answer did not do. */
  forRead(): Desk {
    const seen = new Set<string>();
    return (path, ask) => {
      const shared = seen.has(path) ? undefined : this.#answers.get(path);
      seen.add(path);
      // The read that asked may have been called off; then it is for the next one to ask.
      return shared === undefined ? this.#ask(path, ask) : shared.catch(() => this.#ask(path, ask));
    };
  }

  /** What to tell other tabs; `null` when nothing was asked. */
  async told(): Promise<Told | null> {
    const known = [MANIFEST, LOCK].map((path) => this.#answers.get(path)?.catch(() => null));
    const [manifest, lock] = await Promise.all(known);
    return manifest ? { manifest, lock: lock ?? null } : null;
  }

  end(): void {}

  #ask(path: string, ask: () => Promise<Answer>): Promise<Answer> {
    const answer = ask();
    this.#answers.set(path, answer);
    return answer;
  }
}
