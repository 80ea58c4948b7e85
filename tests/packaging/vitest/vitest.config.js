import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environmentOptions: {
      // happy-dom asks for CORS as a browser does: the page is where the feed is.
      happyDOM: { url: process.env.SITE },
    },
  },
});
