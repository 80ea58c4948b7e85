/** The glue that wasm-bindgen generates for reader-wasm/src/; `cargo xtask pack` puts it in the place of this name. */
declare module 'lastgood_reader' {
  /** Instantiates the module, once for all. */
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

  export class Read {
    constructor(plan: string);
    step(): string;
    answer(manifests: Manifests, answers: string, manifest: Uint8Array, lock: Uint8Array, now: number): string;
    free(): void;
  }

  export class Manifests {
    constructor();
  }

  export class Digest {
    constructor();
    update(piece: Uint8Array): void;
    finish(): string;
    free(): void;
  }

  export class Schema {
    constructor(text: string);
    violations(payload: Uint8Array): string | undefined;
    free(): void;
  }
}

/** The bytes of the module, inlined when the package is packed. */
declare module 'lastgood_reader_bg.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
