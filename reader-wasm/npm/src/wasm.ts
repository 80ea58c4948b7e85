/**
 * Loads the WebAssembly modules, each once for all feeds of the page, and replaces the one that reads when it has trapped.
 *
 * @module
 */

import init, { __wbg_reset_state as reset, run, start } from 'lastgood_reader';

import { LastgoodError } from './errors.js';
import type { WasmSource } from './types.js';
import type { Validate } from './validator.js';

/** Where an entry of the package has a module. */
export type Origin = () => WasmSource | Promise<WasmSource>;

/** Where an entry of the package has its modules. */
export interface Origins {
  readonly reader: Origin;
  readonly validator: Origin;
}

/** Loads once; after a failure, the next call tries again. */
class Once<T> {
  #loading: Promise<T> | undefined;

  get begun(): boolean {
    return this.#loading !== undefined;
  }

  get(load: () => Promise<T>): Promise<T> {
    this.#loading ??= load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }
}

// Only one of each at a time: a second instance would take the place of the first under the feet of its feeds.
const reader = new Once<void>();
const validator = new Once<Validate>();

/** Whether the module that reads is there, or on its way. */
export function isLoading(): boolean {
  return reader.begun;
}

/** Loads the module that reads from `given` or, without it, from where the entry has it. */
export async function load(given: unknown, origin: Origin): Promise<void> {
  try {
    await reader.get(async () => {
      await init({ module_or_path: await moduleOf(given, origin) });
      start(schedule);
    });
  } catch (error) {
    throw new LastgoodError(
      `the WebAssembly module could not be loaded (${String(error)}); ` +
        "if your bundler or server does not find it, import from 'lastgood/inline' or pass its address as the option \"wasm\"; " +
        "if a content security policy refuses it, add 'wasm-unsafe-eval' to script-src",
      { code: 'wasm', cause: error },
    );
  }
}

/** Loads the validator of published schemas likewise. */
export function loadValidator(given: unknown, origin: Origin): Promise<Validate> {
  return validator.get(async () => {
    const [{ instantiate }, module] = await Promise.all([import('./validator.js'), moduleOf(given, origin)]);
    return instantiate(module);
  });
}

/** How many instances of the module have trapped. What was made in one of them is of no use to the next. */
let traps = 0;
/** The calls under way, each to be ended when the module traps. */
const calls = new Set<(error: LastgoodError) => void>();

/** Which instance it is. */
export function instance(): number {
  return traps;
}

/**
 * Calls into the module. A trap is a defect: it ends all calls under way, and the next one has a fresh instance.
 *
 * @throws {LastgoodError} `internal`
 */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    // Also what a function that the module has called has thrown: none may, and the module has lost its way.
    const problem = `the WebAssembly module has stopped (${String(cause)}), which is a defect of lastgood: please report it`;
    const error = new LastgoodError(problem, { code: 'internal', cause });
    traps += 1;
    reset();
    start(schedule);
    const ended = [...calls];
    calls.clear();
    for (const end of ended) end(error);
    throw error;
  }
}

/** Has `end` called if the module traps; the returned function takes that back. */
export function onTrap(end: (error: LastgoodError) => void): () => void {
  calls.add(end);
  return () => calls.delete(end);
}

function schedule(): void {
  queueMicrotask(() => {
    try {
      guarded(run);
    } catch {
      // Those who wait for it have been told.
    }
  });
}

/**
 * The module out of its file or, where bundler or server did not bring the file along, out of a script, which is downloaded
 * only then: every bundler brings scripts along.
 */
export async function fileOrScript(
  file: () => URL,
  script: () => Promise<{ default: Uint8Array<ArrayBuffer> }>,
): Promise<WasmSource> {
  try {
    return await moduleFile(file());
  } catch (error) {
    // Where the script is missing too, such as without a network, the file is what is to be told of.
    const { default: module } = await script().catch(() => Promise.reject(error));
    console.warn(
      `lastgood: downloaded the WebAssembly module once more, as a larger script (${String(error)}); ` +
        "import from 'lastgood/inline', or pass the address of the file as the option \"wasm\"",
    );
    return module;
  }
}

/** The answer to a request for a module, if it is one: a page with status 200 is none. */
async function moduleFile(file: URL): Promise<Response | ArrayBuffer> {
  const response = await answer(file);
  if (isWasm(response)) return response;
  const bytes = await response.arrayBuffer();
  const [zero, a, s, m] = new Uint8Array(bytes);
  if (zero === 0 && a === 0x61 && s === 0x73 && m === 0x6d) return bytes;
  throw new Error(`${file} is no WebAssembly module`);
}

async function moduleOf(given: unknown, origin: Origin): Promise<WebAssembly.Module> {
  return compile((await (given as WasmSource | Promise<WasmSource> | undefined)) ?? (await origin()));
}

/** Compiles off the main thread. */
async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource);
  const response = await answer(source);
  // While it arrives, where the server says what it is; others are not worth a warning in every visitor's console.
  return isWasm(response) ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

function isWasm(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/wasm') ?? false;
}

async function answer(source: string | URL | Request | Response): Promise<Response> {
  const response = await respond(source);
  if (!response.ok) throw new Error(`${response.url || 'the server'} answered with status ${response.status}`);
  return response;
}

async function respond(source: string | URL | Request | Response): Promise<Response> {
  if (typeof Response === 'function' && source instanceof Response) return source;
  const address = String(source);
  if (address.startsWith('file:')) {
    // Node does not fetch files. Asked for like this, no bundler tries to bring Node's modules along.
    const files = globalThis.process?.getBuiltinModule?.('node:fs/promises');
    if (files) return new Response(await files.readFile(new URL(address)));
  }
  return fetch(source as string | URL | Request);
}

declare global {
  var process:
    | {
        getBuiltinModule?(name: 'node:fs/promises'): { readFile(file: URL): Promise<Uint8Array<ArrayBuffer>> };
        getBuiltinModule?(name: 'node:crypto'): { readonly webcrypto: Crypto };
      }
    | undefined;
}
