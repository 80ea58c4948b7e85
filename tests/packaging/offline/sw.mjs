import { generateSW } from 'workbox-build';

await generateSW({
  swDest: 'dist/sw.js',
  globDirectory: 'dist',
  // The shell: the scripts that stand in for a missing module need not be in it.
  globPatterns: ['**/*.{html,css,js,wasm}'],
  globIgnores: ['**/inline-*.js'],
  // Every page of the app is the same one; what is in the feed is no page, and is left to the reader.
  navigateFallback: '/index.html',
  navigateFallbackDenylist: [/^\/data\//],
  cleanupOutdatedCaches: true,
  clientsClaim: true,
  skipWaiting: true,
});
