/**
 * The validator's WebAssembly module as a script: the bytes of `lastgood_validator_bg.wasm`, for what cannot have the file.
 *
 * @module
 */

import base64 from 'lastgood_validator_bg.wasm';

import { bytesOf } from './base64.js';

export default bytesOf(base64);
