import { defineConfig } from 'vite';

// Into the built page alone: the development server injects inline scripts.
const contentSecurityPolicy = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: {
        'http-equiv': 'Content-Security-Policy',
        content: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
      },
      injectTo: 'head-prepend',
    },
  ],
};

export default defineConfig({
  plugins: [contentSecurityPolicy],
  server: { proxy: { '/data': process.env.SITE } },
});
