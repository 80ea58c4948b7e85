import lastgood from 'lastgood/vite';

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
  plugins: [contentSecurityPolicy, lastgood({ url: '/feed/' })],
  // What Vite 8 does by itself: in the older format of workers, a script that loads another one only if it must cannot be built.
  worker: { format: 'es' },
  server: { proxy: { '/data': process.env.SITE } },
};
