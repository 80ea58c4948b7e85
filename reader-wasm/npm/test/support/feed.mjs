// A feed on a real HTTP server, whose every answer a test can replace.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { after } from 'node:test';

export const FEED = '6f1c0b52-9a3e-4d67-8f00-1b2c3d4e5f60';
export const OTHER_FEED = '0a0b0c0d-9a3e-4d67-8f00-1b2c3d4e5f60';

export const sha256 = (text) => createHash('sha256').update(text).digest('hex');

export class FeedServer {
  /** Path → what answers it: a text, or a function of the request and the response. */
  files = new Map();
  /** The paths that were asked for since the last look. */
  requests = [];
  #server;

  static async start() {
    const feed = new FeedServer();
    feed.#server = createServer((request, response) => feed.#answer(request, response));
    await new Promise((resolve) => feed.#server.listen(0, '127.0.0.1', resolve));
    feed.url = `http://127.0.0.1:${feed.#server.address().port}/data/`;
    after(() => feed.stop());
    return feed;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Takes the list of requests, sorted: those of one step go out together. */
  takeRequests() {
    return this.requests.splice(0).sort();
  }

  /**
   * Publishes the texts of `datasets` as one generation, with `artifacts`: `{ bytes, ext, type }` under each name. `ends` has the ends
   * of datasets, `noted` what else the manifest says: what was withdrawn and purged.
   */
  publish(
    datasets,
    { generation = 1, feed = FEED, commit, expiresAt = null, meta, schema, artifacts = {}, ends = {}, noted = {} } = {},
  ) {
    const publishedAt = '2026-11-20T14:39:00.123Z';
    const entries = {};
    for (const [name, text] of Object.entries(datasets)) {
      const digest = sha256(text);
      const size = Buffer.byteLength(text);
      const known = { ...(meta && { meta }), ...this.#schema(schema), ...(ends[name] && { expires_at: ends[name] }) };
      entries[name] = { sha256: digest, size, generation, published_at: publishedAt, ...known };
      this.files.set(`${name}.json`, text);
      this.files.set(`objects/${digest}.json`, text);
    }
    for (const [name, { bytes, ext, type }] of Object.entries(artifacts)) {
      const digest = sha256(bytes);
      entries[name] = { sha256: digest, size: bytes.length, generation, published_at: publishedAt, ext };
      const answer = (_, response) => response.writeHead(200, { 'content-type': type }).end(bytes);
      this.files.set(`objects/${digest}.${ext}`, answer);
    }
    const signed = JSON.stringify({
      format: 1,
      feed,
      generation,
      commit: commit ?? generation.toString(16).padStart(32, '0'),
      published_at: publishedAt,
      expires_at: expiresAt,
      datasets: entries,
      ...noted,
    });
    this.files.set('manifest.json', `{"signed":${signed},"sha256":"${sha256(signed)}","signatures":[]}`);
  }

  /** Puts a lock marker there, whose lease begins now. */
  lock(datasets) {
    const marker = {
      format: 1,
      holder: { host: 'build', pid: 1, token: 't' },
      datasets,
      acquired_at: new Date(Date.now() - 1000).toISOString(),
      expires_at: new Date(Date.now() + 60_000).toISOString(),
    };
    this.files.set('.lock', JSON.stringify(marker));
  }

  /** What the entry of a dataset says of its schema: a version and a text. */
  #schema(schema) {
    if (!schema) return {};
    const digest = sha256(schema.text);
    this.files.set(`objects/${digest}.json`, schema.text);
    return { schema: { version: schema.version, sha256: digest, size: Buffer.byteLength(schema.text) } };
  }

  #answer(request, response) {
    const path = request.url.replace('/data/', '');
    this.requests.push(path);
    const file = this.files.get(path);
    if (typeof file === 'function') {
      file(request, response);
    } else if (file === undefined) {
      response.writeHead(404).end();
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(file);
    }
  }
}
