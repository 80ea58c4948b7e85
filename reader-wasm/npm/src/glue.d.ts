/** The glue that wasm-bindgen generates for reader-wasm/src/; `cargo xtask pack` puts it in the place of these names. */
declare module 'lastgood_reader' {
  /** Instantiates the module, once for all. */
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /** Replaces a module that has trapped by a fresh instance. */
  export function __wbg_reset_state(): void;

  /** Tells how to have `run` called soon. */
  export function start(schedule: () => void): void;
  /** Goes on with all that can go on. */
  export function run(): void;
  /** Ends a read: `done` is not called any more. */
  export function cancel(id: number): void;

  export class Reader {
    constructor(page: import('./read/page.js').Page);
    read(
      order: import('./read/reader.js').Task,
      shape: import('./read/reader.js').ShapeOf | undefined,
      responses: SharedResponses,
      done: (error: unknown, readings: unknown, look: unknown) => void,
    ): number;
    names(dataset: string, sha256: string, publishedAt: string): boolean;
    forget(done: () => void): void;
    free(): void;
  }

  export class SharedResponses {
    constructor();
    static heard(manifest: object, lock: object | null): SharedResponses;
    told(): import('./watch/responses.js').Told | undefined;
    free(): void;
  }
}

/** The same for the validator of published schemas. */
declare module 'lastgood_validator' {
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

  export class Schema {
    constructor(text: string);
    violations(payload: Uint8Array): string | undefined;
  }
}

/** The bytes of the modules in Base64, inlined when the package is packed. */
declare module 'lastgood_reader_bg.wasm' {
  const base64: string;
  export default base64;
}
declare module 'lastgood_validator_bg.wasm' {
  const base64: string;
  export default base64;
}
