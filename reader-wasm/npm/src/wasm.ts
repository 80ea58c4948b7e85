/**
 * Loads the WebAssembly module, once for all feeds of the page.
 *
 * @module
 */

import init from 'lastgood_reader';

import { LastgoodError } from './errors.js';
import type { WasmSource } from './types.js';

/** The module being loaded, or loaded; nothing after a failure, so that the next call tries again. */
let loading: Promise<unknown> | undefined;

/** Where an entry of the package has a module. */
export type Origin = () => WasmSource | Promise<WasmSource>;

/** Loads the module from `given` or, without it, from where the entry has it. */
export async function load(given: unknown, origin: Origin): Promise<void> {
  // Only one at a time: a second instance would take the place of the first under the feet of its feeds.
  loading ??= start(given, origin).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  try {
    await loading;
  } catch (error) {
    throw new LastgoodError(
      `the WebAssembly module could not be loaded (${String(error)}); ` +
        "if your bundler or server does not find it, import from 'lastgood/inline' or pass its address as the option \"wasm\"; " +
        "if a content security policy refuses it, add 'wasm-unsafe-eval' to script-src",
      { code: 'wasm', cause: error },
    );
  }
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

async function start(given: unknown, origin: Origin): Promise<void> {
  const source = (await (given as WasmSource | Promise<WasmSource> | undefined)) ?? (await origin());
  await init({ module_or_path: await compile(source) });
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
    | { getBuiltinModule?(name: 'node:fs/promises'): { readFile(file: URL): Promise<Uint8Array<ArrayBuffer>> } }
    | undefined;
}
