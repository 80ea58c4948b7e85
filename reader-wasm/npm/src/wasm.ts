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

/** Loads the module from `given` or, without it, from `fallback`. */
export async function load(given: unknown, fallback: () => WasmSource): Promise<void> {
  // Only one at a time: a second instance would take the place of the first under the feet of its feeds.
  loading ??= start(given, fallback).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  try {
    await loading;
  } catch (error) {
    throw new LastgoodError(
      `the WebAssembly module could not be loaded (${String(error)}); ` +
        'if your bundler or server does not find it, pass its address as the option "wasm"; ' +
        "if a content security policy refuses it, add 'wasm-unsafe-eval' to script-src",
      { code: 'wasm', cause: error },
    );
  }
}

async function start(given: unknown, fallback: () => WasmSource): Promise<void> {
  const source = (await (given as WasmSource | Promise<WasmSource> | undefined)) ?? fallback();
  await init({ module_or_path: await compile(source) });
}

/** Compiles off the main thread. */
async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource);
  const response = await respond(source);
  if (!response.ok) throw new Error(`${response.url || 'the server'} answered with status ${response.status}`);
  // While it arrives, where the server says what it is; others are not worth a warning in every visitor's console.
  if (response.headers.get('content-type')?.startsWith('application/wasm')) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
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
