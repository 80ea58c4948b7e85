/**
 * What the WebAssembly core and its driver say to each other: the types of `reader-wasm/src/step.rs` and `answer.rs`.
 *
 * @module
 */

import type { LockPolicy, ReasonCode, Source } from '../types.js';

/** What a read begins with. */
export interface Plan {
  datasets: readonly Wanted[];
  lock: LockPolicy;
  lockWaitMs: number;
  maxBytes: number;
  /** The longest time since a manifest has confirmed a copy, in milliseconds. */
  maxAge: number | null;
  /** Whether this is one more look at what is held and was not locked: the lock marker is not asked for. */
  again: boolean;
  /** What is remembered of the feed, as the core has encoded it. */
  memory: string | null;
  /** For each dataset what is known of its copy, as the core has encoded it. */
  heads: readonly (string | null)[];
}

/** A dataset and what it is read as. */
export type Wanted =
  | { name: string; kind: 'artifact' }
  | {
      name: string;
      kind: 'json';
      /** Whether the value is validated against its published schema. */
      validate: boolean;
      /** The versions of the schema that can be read; both or none. */
      oldest?: number;
      newest?: number;
    };

/** A file of the feed to be fetched. */
export interface FileRequest {
  /** Relative to the feed. */
  path: string;
  /** The most bytes to read of it. */
  limit: number;
  cache: 'default' | 'no-cache' | 'reload' | 'no-store';
}

export type Step =
  | { step: 'fetch-manifest'; manifest: FileRequest; lock: FileRequest | null; payloads: FileRequest[] }
  | { step: 'load-cache'; datasets: string[] }
  | { step: 'fetch-objects'; payloads: FileRequest[]; schemas: SchemaRequest[] }
  | { step: 'validate'; checks: { handle: number; schema: string }[] }
  | { step: 'wait'; ms: number }
  | Done;

/** A schema to be fetched, unless the driver has it. */
export interface SchemaRequest {
  sha256: string;
  request: FileRequest;
}

/** How a read ended. */
export interface Done {
  step: 'done';
  /** What to remember of the feed from now on, whatever the result. */
  memory: string | null;
  /** The digests of payloads of which no copy is to be kept, of whichever dataset; not known when no manifest was accepted. */
  purged: string[] | null;
  readings?: CoreReading[];
  failure?: Failure;
  /** Where the failure is `too-old`, the readings that are. */
  tooOld?: CoreReading[];
}

/** A reading as the core has it: without its value. */
export interface CoreReading {
  handle: number;
  /** What the cache keeps beside the payload; see {@link Head}. */
  head: string;
  dataset: string;
  source: Source;
  reason: Failure | null;
  generation: number;
  sha256: string;
  publishedAt: string;
  ageMs: number;
  checkedAt: string;
  ext: string;
  /** The version of the published schema. */
  schemaVersion: number | null;
  meta: unknown;
}

/** Something that went wrong. */
export interface Failure {
  code: ReasonCode | 'too-old';
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

/** What the driver looks at of an encoded head; the core knows the rest. */
export interface Head {
  feed: string;
  sha256: string;
  size: number;
  confirmed: number;
  used_at: string;
  /** Only of an artifact. */
  ext?: string;
}

/** Reads a head; nothing when it is none. */
export function parseHead(text: string): Head | null {
  try {
    const head: unknown = JSON.parse(text);
    const fits = isRecord(head) && typeof head['sha256'] === 'string' && typeof head['confirmed'] === 'number';
    return fits ? (head as unknown as Head) : null;
  } catch {
    return null;
  }
}

/** What the driver looks at of an encoded memory of a feed. */
export interface Memory {
  feed: string;
  generation: number;
}

/** Reads a memory; nothing when it is none. */
export function parseMemory(text: string): Memory | null {
  try {
    const memory: unknown = JSON.parse(text);
    return isRecord(memory) && typeof memory['generation'] === 'number' ? (memory as unknown as Memory) : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
