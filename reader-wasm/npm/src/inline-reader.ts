/**
 * The WebAssembly module as a script: the bytes of `lastgood_reader_bg.wasm`, for what cannot have the file.
 *
 * @module
 */

export { default } from 'lastgood_reader_bg.wasm';
