/**
 * What the server answers to the requests of one look: the manifest and the lock marker, which all reads of the look
 * share, and which other tabs are told.
 */

import type { ReasonCode } from '../types.js';

/** A body and when it was answered. */
export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The server's time in milliseconds: unknown across origins, unless the server exposes `Date`. */
  readonly serverTime: number | null;
}

/** Something that went wrong. */
export interface Failure {
  code: ReasonCode | 'too-old' | 'invalid-name';
  /** One sentence: what was expected, what was found. */
  detail: string;
  /** The file that it concerns, relative to the feed. */
  path?: string | null;
  /** The HTTP status, where the code is `http`. */
  status?: number | null;
  dataset?: string | null;
  /** What the server asks for, in milliseconds from now. */
  retryAfterMs?: number | null;
}

export type Answer = Body | Failure;

/** The answers of a look that has ended. */
export interface Told {
  readonly manifest: Answer;
  /** `null` when no read asked for it. */
  readonly lock: Answer | null;
}

/** The responses of one look, for the reads that share them. */
export interface SharedResponses {
  /** What to tell other tabs; nothing when nothing was asked. */
  told(): Told | null | undefined | Promise<Told | null>;
  /** Nobody wants them any more: what is still asked for alone for them ends. */
  end(): void;
}

/** Makes them: none so far, or those that another tab has got. */
export type MakeResponses<R extends SharedResponses = SharedResponses> = (heard?: Told) => R;
