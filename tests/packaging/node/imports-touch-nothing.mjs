// A server has none of these, or others of the same name. Whoever looks at one while a module is loaded fails.
const names = [
  'window', 'self', 'document', 'localStorage', 'sessionStorage', 'navigator', 'location', 'caches', 'indexedDB',
  'BroadcastChannel', 'addEventListener', 'matchMedia', 'WebAssembly', 'fetch', 'crypto', 'setTimeout', 'setInterval',
];
for (const name of names) {
  Object.defineProperty(globalThis, name, {
    get() {
      throw new Error(`${name} was touched`);
    },
  });
}

for (const entry of ['lastgood', 'lastgood/inline', 'lastgood/react', 'lastgood/tanstack']) {
  await import(entry);
}
