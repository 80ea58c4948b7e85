/** Of Node as much as `vite.ts` uses. */
declare module 'node:fs' {
  export function existsSync(path: string): boolean;
}

declare module 'node:fs/promises' {
  interface Entry {
    readonly name: string;
    isDirectory(): boolean;
  }
  export function copyFile(from: string, to: string): Promise<void>;
  export function mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  export function readdir(path: string, options: { withFileTypes: true }): Promise<Entry[]>;
  export function readFile(path: string): Promise<Uint8Array>;
}

declare module 'node:path' {
  export const sep: string;
  export function dirname(path: string): string;
  export function join(...parts: string[]): string;
  export function relative(from: string, to: string): string;
  export function resolve(...parts: string[]): string;
}
