/**
 * The validator's WebAssembly module as a script: the bytes of `lastgood_validator_bg.wasm`, for what cannot have the file.
 *
 * @module
 */

export { default } from 'lastgood_validator_bg.wasm';
