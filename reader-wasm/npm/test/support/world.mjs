// What tests of several views of one feed share: a page with storage of its own, and what its views were told.

import { FeedServer } from './feed.mjs';
import { FakeCaches, installCaches } from './caches.mjs';
import { FakeStorage, install } from './storage.mjs';

/** A device without anything on it. */
export function device() {
  const [storage, caches] = [new FakeStorage(), new FakeCaches()];
  install(storage);
  installCaches(caches);
  return { storage, caches };
}

export async function served(datasets, options) {
  const server = await FeedServer.start();
  server.publish(datasets, options);
  return server;
}

/** Answers nothing any more: `hung` connections stay open, others are refused. Returns what undoes it. */
export function away(server, { hung = false } = {}) {
  const files = new Map(server.files);
  for (const path of ['manifest.json', '.lock', ...files.keys()]) {
    server.files.set(path, hung ? () => {} : (request) => request.socket.destroy());
  }
  return () => {
    server.files.clear();
    for (const [path, file] of files) server.files.set(path, file);
  };
}

/** What a watch is told, to be waited for. */
export function taker() {
  const [told, errors, waiting] = [[], [], []];
  const wake = () => waiting.splice(0).forEach((go) => go());
  return {
    told,
    errors,
    tell: (value) => (told.push(value), wake()),
    fail: (error) => (errors.push(error), wake()),
    /** Resolves when `is` is true of what was told. */
    async until(is) {
      while (!is(told, errors)) await new Promise((go) => waiting.push(go));
      return told.at(-1);
    },
  };
}

/** What there is to see of a reading, or of readings by name. */
export const seen = (value) =>
  typeof value?.dataset === 'string'
    ? [value.data, value.fresh, value.reason]
    : value && Object.fromEntries(Object.entries(value).map(([name, reading]) => [name, seen(reading)]));
