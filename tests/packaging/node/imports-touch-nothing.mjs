// A server has none of these, or others of the same name: whoever looks at one while a module is loaded fails.
import { scripts, tell } from './entries.mjs';

const names = [
  'window', 'self', 'document', 'location', 'navigator', 'localStorage', 'sessionStorage', 'indexedDB', 'caches',
  'BroadcastChannel', 'addEventListener', 'WebAssembly', 'fetch', 'crypto', 'setTimeout', 'setInterval', 'console',
];
// React looks around by itself.
await import('react');
for (const name of names) {
  Object.defineProperty(globalThis, name, {
    get() {
      throw new Error(`${name} was touched`);
    },
  });
}
for (const script of scripts) {
  await import(script);
}
tell();
