declare module 'virtual:flights' {
  /** Whether a value satisfies flights.schema.json. */
  const validate: (value: unknown) => boolean;
  export default validate;
}

declare module 'modules/lastgood_reader.js' {
  export default function init(module: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /** As in reader-wasm/src/schema.rs. */
  export class Schema {
    constructor(text: string);
    violations(payload: Uint8Array): string | undefined;
  }
}

declare module 'modules/jsonschema.js' {
  export default function init(): Promise<unknown>;
  /** As in ../../jsonschema/src/lib.rs. */
  export class Validator {
    constructor(schema: string);
    is_valid(payload: Uint8Array): boolean;
  }
}
