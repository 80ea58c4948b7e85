import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// WebAssembly needs 'wasm-unsafe-eval'. Feeds on other origins can be named with ?feed=, so connections are not
// limited to 'self'; a site with one feed should name just that one.
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' https: http:",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Puts the policy into the built page alone: the development server injects inline styles and scripts. */
const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
      injectTo: 'head-prepend',
    },
  ],
};

export default defineConfig({
  base: './',
  plugins: [contentSecurityPolicy],
  // Pre-bundling would move the package away from its wasm file.
  optimizeDeps: { exclude: ['lastgood'] },
  // The policy allows no data: addresses.
  build: { assetsInlineLimit: 0 },
  test: { environment: 'happy-dom', include: ['test/**/*.test.ts'] },
});
