import initJsonschema, { Validator } from 'modules/jsonschema.js';
import initLastgood, { Schema } from 'modules/lastgood_reader.js';
import lastgoodModule from 'modules/lastgood_reader_bg.wasm?url';
import validate from 'virtual:flights';

import schemaText from '../flights.schema.json?raw';
import { assert, type Comparison, type Rows } from './contestant';

/** Whether bytes are JSON that satisfies a schema. What JSON.parse makes is a value as well; the others only say yes or no. */
export function validators(): Comparison {
  let bytes = new Uint8Array();
  let text = '';
  let rows: Rows = [];
  let lastgood: Schema;
  let jsonschema: Validator;
  return {
    'parse and ajv': {
      async setup() {
        bytes = new Uint8Array(await (await fetch('data/plain_1m.json')).arrayBuffer());
        text = new TextDecoder().decode(bytes);
        rows = JSON.parse(text) as Rows;
      },
      async run() {
        const parsed = JSON.parse(text) as Rows;
        assert(validate(parsed), 'valid flights');
        return parsed.length;
      },
    },
    parse: {
      run: async () => (JSON.parse(text) as Rows).length,
    },
    ajv: {
      async run() {
        assert(validate(rows), 'valid flights');
        return rows.length;
      },
    },
    lastgood: {
      async setup() {
        await initLastgood({ module_or_path: await WebAssembly.compileStreaming(fetch(lastgoodModule)) });
        lastgood = new Schema(schemaText);
      },
      async run() {
        assert(lastgood.violations(bytes) === undefined, 'valid flights');
        return rows.length;
      },
    },
    jsonschema: {
      async setup() {
        await initJsonschema();
        jsonschema = new Validator(schemaText);
      },
      async run() {
        assert(jsonschema.is_valid(bytes), 'valid flights');
        return rows.length;
      },
    },
  };
}
