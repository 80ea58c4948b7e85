import type { ErrorCode, Reading } from './types.js';

/** What a {@link LastgoodError} is about. */
export interface ErrorDetails {
  code: ErrorCode;
  dataset?: string | null;
  url?: string | null;
  status?: number | null;
  retryAfterMs?: number | null;
  reading?: Reading | null;
  cause?: unknown;
}

/** Every failure of this package. */
export class LastgoodError extends Error {
  override readonly name = 'LastgoodError';
  readonly code: ErrorCode;
  /** The dataset that was asked for, where the failure concerns one. */
  readonly dataset: string | null;
  /** The address that failed, where there is one. */
  readonly url: string | null;
  /** The HTTP status, where the code is `http`. */
  readonly status: number | null;
  /** When the server asks to be left alone until, in milliseconds from now (`Retry-After`). */
  readonly retryAfterMs: number | null;
  /** The last value, where the code is `too-old`. */
  readonly reading: Reading | null;

  /**
   * For tests and for apps that want to throw the same kind of error. `cause` is the reason of the `signal` where the code is
   * `aborted`, the underlying error where it is `wasm` or `migration-failed`.
   */
  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.dataset = details.dataset ?? null;
    this.url = details.url ?? null;
    this.status = details.status ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.reading = details.reading ?? null;
  }
}
