import { sveltekit } from '@sveltejs/kit/vite';

export default {
  plugins: [sveltekit()],
  server: { proxy: { '/data': process.env.SITE } },
};
