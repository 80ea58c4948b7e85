/**
 * Carries out the steps of the core.
 *
 * @module
 */

import { Manifests, Read } from 'lastgood_reader';

import type { Copy } from '../cache/copies.js';
import type { Store } from '../cache/store.js';
import type { Trace } from '../events.js';
import { LastgoodError } from '../errors.js';
import type { Desk } from '../watch/answers.js';
import type { CoreReading, Done, Failure, FileRequest, Plan, SchemaRequest, Step } from './core.js';
import { FetchFailure, fetchFile, type Body, type Transport } from './fetch.js';
import { Flights, unlessAborted } from './flights.js';
import { readArtifact, readJson, type Payload } from './payload.js';
import { Schemas } from './schemas.js';

/** What a read needs. */
export interface Task extends Omit<Plan, 'memory' | 'heads'> {
  readonly timeoutMs: number;
  /** What to take for the server's answer, without asking it: the copies at hand are wanted. */
  readonly instead?: Failure;
  /** Answers for the manifest and the lock marker, where they are shared with other reads. */
  readonly desk: Desk | null;
}

/** A reading with its verified payload. */
export interface VerifiedReading {
  readonly core: CoreReading;
  readonly payload: Payload;
}

/** How a read ended. */
export type Outcome = Pick<Done, 'memory' | 'purged'> &
  ({ readings: VerifiedReading[] } | { failure: Failure; tooOld: VerifiedReading[] });

/** Reads from one feed. Requests under way are shared by all that want them. */
export class Driver {
  readonly #transport: Transport;
  readonly #store: Store;
  readonly #trace: Trace;
  readonly #flights = new Flights();
  readonly #manifests = new Manifests();
  readonly #schemas = new Schemas();

  constructor(transport: Transport, store: Store, trace: Trace) {
    this.#transport = transport;
    this.#store = store;
    this.#trace = trace;
  }

  /** Reads what the task says. Aborting the signal ends everything that is under way for it alone. */
  async read(task: Task, signal: AbortSignal): Promise<Outcome> {
    const { datasets, lock, lockWaitMs, maxBytes, maxAge, again } = task;
    const finding = Promise.all([
      this.#store.memory(),
      ...datasets.map(async ({ name }) => [name, await this.#store.cached(name)] as const),
    ]);
    const [memory, ...found] = await unlessAborted(finding, signal);
    const cached = new Map(found);
    const heads = datasets.map(({ name }) => cached.get(name)?.head ?? null);
    const plan: Plan = { datasets, lock, lockWaitMs, maxBytes, maxAge, again, memory, heads };
    const read = begin(plan);
    try {
      return await this.#carryOut(read, new Hands(task, cached), signal);
    } finally {
      read.free();
    }
  }

  async #carryOut(read: Read, hands: Hands, signal: AbortSignal): Promise<Outcome> {
    let manifest: Uint8Array = NOTHING;
    let lock: Uint8Array = NOTHING;
    const answer = (answers: unknown): string => read.answer(this.#manifests, JSON.stringify(answers), manifest, lock, Date.now());
    let text = read.step();
    for (;;) {
      const step = JSON.parse(text) as Step;
      this.#trace?.(`${hands.task.datasets.map(({ name }) => name).join(', ')}: ${described(step)}`);
      switch (step.step) {
        case 'fetch-manifest': {
          const { instead } = hands.task;
          if (instead) {
            text = answer({ manifest: instead, lock: step.lock && instead, payloads: step.payloads.map(() => instead) });
            break;
          }
          // The payloads first: they take longest.
          const [payloads, document, marker] = await Promise.all([
            this.#payloads(step.payloads, hands, signal),
            this.#document(step.manifest, hands.task, signal),
            step.lock ? this.#document(step.lock, hands.task, signal) : null,
          ]);
          [manifest, lock] = [bytesOf(document), bytesOf(marker)];
          text = answer({ manifest: documentAnswer(document), lock: marker && documentAnswer(marker), payloads });
          [manifest, lock] = [NOTHING, NOTHING];
          break;
        }
        case 'load-cache':
          text = answer({ payloads: await Promise.all(step.datasets.map((dataset) => hands.load(dataset, signal))) });
          break;
        case 'fetch-objects': {
          const [payloads, schemas] = await Promise.all([
            this.#payloads(step.payloads, hands, signal),
            Promise.all(step.schemas.map((schema) => this.#schema(schema, hands.task, signal))),
          ]);
          text = answer({ payloads, schemas });
          break;
        }
        case 'validate':
          text = answer({
            verdicts: await Promise.all(
              step.checks.map(({ handle, schema }) => this.#schemas.check(hands.get(handle), schema)),
            ),
          });
          break;
        case 'wait':
          await pause(step.ms, signal);
          text = answer({});
          break;
        case 'done': {
          const { memory, purged, readings, failure, tooOld } = step;
          if (failure) return { failure, tooOld: hands.readings(tooOld), memory, purged };
          return { readings: hands.readings(readings), memory, purged };
        }
      }
    }
  }

  /** A small file, all of it within the time limit. */
  #document(request: FileRequest, { timeoutMs, desk }: Task, signal: AbortSignal): Promise<Body | Failure> {
    const key = `${request.cache} ${timeoutMs} ${request.path}`;
    const ask = (): Promise<Body | Failure> =>
      orFailure(
        this.#flights.join(key, signal, (shared) =>
          fetchFile(this.#transport, request, { ms: timeoutMs, forEachPart: false }, shared),
        ),
      );
    return desk ? unlessAborted(desk(request.path, ask), signal) : ask();
  }

  #payloads(requests: readonly FileRequest[], hands: Hands, signal: AbortSignal): Promise<object[]> {
    const fetchOne = async (request: FileRequest): Promise<object> => {
      const payload = await this.#payload(request, hands.task, signal);
      return 'code' in payload ? payload : hands.take(payload);
    };
    return Promise.all(requests.map(fetchOne));
  }

  /** A schema, which is downloaded once. */
  async #schema({ sha256, request }: SchemaRequest, task: Task, signal: AbortSignal): Promise<object> {
    const size = this.#schemas.size(sha256);
    if (size !== null) return { sha256, size };
    const schema = await this.#payload(request, task, signal);
    if ('code' in schema) return schema;
    this.#schemas.add(schema);
    return { sha256: schema.sha256, size: schema.size };
  }

  #payload(request: FileRequest, { timeoutMs }: Task, signal: AbortSignal): Promise<Payload | Failure> {
    const { path, limit, cache } = request;
    return orFailure(
      this.#flights.join(`${cache} ${timeoutMs} ${limit} ${path}`, signal, async (shared) => {
        const { bytes, type } = await fetchFile(this.#transport, request, { ms: timeoutMs, forEachPart: true }, shared);
        return path.endsWith('.json') ? readJson(bytes) : readArtifact(bytes, type);
      }),
    );
  }
}

/** The payloads of one read; the core has their places in the list. */
class Hands {
  readonly task: Task;
  readonly #cached: ReadonlyMap<string, Copy | null>;
  readonly #payloads: Payload[] = [];

  constructor(task: Task, cached: ReadonlyMap<string, Copy | null>) {
    this.task = task;
    this.#cached = cached;
  }

  take(payload: Payload): object {
    const handle = this.#payloads.push(payload) - 1;
    return { handle, sha256: payload.sha256, size: payload.size, problem: payload.problem };
  }

  get(handle: number): Payload {
    const payload = this.#payloads[handle];
    if (!payload) throw new Error(`the core names a payload that it was not given: ${handle}`);
    return payload;
  }

  readings(readings: readonly CoreReading[] | undefined): VerifiedReading[] {
    return (readings ?? []).map((core) => ({ core, payload: this.get(core.handle) }));
  }

  /** A cached payload; a failure of any kind when it is not there. */
  async load(dataset: string, signal: AbortSignal): Promise<object> {
    const payload = await unlessAborted(this.#cached.get(dataset)?.load() ?? Promise.resolve(null), signal);
    return payload ? this.take(payload) : { code: 'not-found', detail: '' };
  }
}

const NOTHING = new Uint8Array();

function begin(plan: Plan): Read {
  try {
    return new Read(JSON.stringify(plan));
  } catch (problem) {
    throw new LastgoodError(String(problem), { code: 'invalid-name' });
  }
}

function bytesOf(document: Body | Failure | null): Uint8Array {
  return document && 'bytes' in document ? document.bytes : NOTHING;
}

function documentAnswer(document: Body | Failure): object {
  return 'bytes' in document ? { serverTime: document.serverTime } : document;
}

async function orFailure<T>(result: Promise<T>): Promise<T | Failure> {
  try {
    return await result;
  } catch (thrown) {
    if (thrown instanceof FetchFailure) return thrown.failure;
    throw thrown;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return unlessAborted(passed, signal).finally(() => clearTimeout(timer));
}

function described(step: Step): string {
  switch (step.step) {
    case 'fetch-manifest':
      return `fetch ${[step.manifest, ...(step.lock ? [step.lock] : []), ...step.payloads].map(({ path }) => path).join(', ')}`;
    case 'load-cache':
      return `take the copy at hand of ${step.datasets.join(', ')}`;
    case 'fetch-objects':
      return `download ${[...step.payloads, ...step.schemas.map(({ request }) => request)].map(({ path }) => path).join(', ')}`;
    case 'validate':
      return 'validate against the published schema';
    case 'wait':
      return `locked: look again in ${step.ms} ms`;
    case 'done':
      return step.failure
        ? `nothing to hand out: ${step.failure.detail}`
        : (step.readings ?? [])
            .map(({ source, reason, generation }) => `generation ${generation} from ${source}, ${reason?.detail ?? 'fresh'}`)
            .join('; ');
  }
}
