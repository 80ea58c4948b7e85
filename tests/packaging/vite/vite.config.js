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

export default {
  plugins: [contentSecurityPolicy],
  // What Vite 8 does by itself: in the older format of workers, a script that loads another one only if it must cannot be built.
  worker: { format: 'es' },
  server: {
    proxy: { '/data': process.env.SITE },
    // With a feed in public/: lock markers come and go, and Vite takes one that has just gone for a script that it cannot load.
    watch: { ignored: ['**/.lock', '**/.*_lock'] },
  },
};
