// The plugin for Vite, in a project with the Vite that is installed beside these tests; tests/packaging has the other versions.

import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

import { build, createServer, preview } from 'vite';

import { directory } from './support/package.mjs';

const { default: lastgood } = await import(new URL('vite.js', directory));

/** A project with a feed in one of its directories. */
async function project(feed) {
  const root = await mkdtemp(join(tmpdir(), 'lastgood-vite-'));
  // When the servers are closed, which write there to the last.
  after(() => rm(root, { recursive: true, maxRetries: 5 }));
  const files = {
    'index.html': '<script type="module" src="/main.js"></script>',
    'main.js': 'document.title = "built";',
    'public/robots.txt': 'public',
    'public/index.html': 'not built',
    'public/.well-known/security.txt': 'hidden, and public',
    [`${feed}/manifest.json`]: '{"signed":{}}',
    [`${feed}/objects/${'0'.repeat(64)}.json`]: '[1]',
    [`${feed}/chart.png`]: 'a picture',
    [`${feed}/.lock`]: '{}',
    [`${feed}/.lastgood/operations.jsonl`]: 'private',
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

const config = (root, options) => ({
  root,
  configFile: false,
  logLevel: 'silent',
  plugins: [lastgood(options)],
  server: { host: '127.0.0.1', port: 0 },
  preview: { host: '127.0.0.1', port: 0 },
});

async function served(server) {
  const { port } = server.httpServer.address();
  return async (path, options) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept: 'application/json' }, ...options });
    const header = (name) => response.headers.get(name);
    return [response.status, header('content-type'), header('cache-control'), await response.text()];
  };
}

for (const [feed, options] of [['public/data', undefined], ['feed', { dir: 'feed', url: '/api/data' }]]) {
  test(`a feed in ${feed} is served while the page is developed, and nothing of it is private`, async (t) => {
    const root = await project(feed);
    const server = await createServer(config(root, options));
    t.after(() => server.close());
    await server.listen();
    const get = await served(server);
    const url = options?.url ?? '/data';
    assert.deepEqual(await get(`${url}/manifest.json?x`), [200, 'application/json', 'no-cache', '{"signed":{}}']);
    const object = `${url}/objects/${'0'.repeat(64)}.json`;
    assert.deepEqual(await get(object), [200, 'application/json', 'no-cache', '[1]']);
    assert.deepEqual(await get(`${url}/chart.png`), [200, 'image/png', 'no-cache', 'a picture']);
    assert.deepEqual(await get(`${url}/.lock`), [200, 'application/json', 'no-store', '{}']);
    // Whatever Vite has noticed of it meanwhile.
    await unlink(join(root, feed, '.lock'));
    assert.deepEqual((await get(`${url}/.lock`)).slice(0, 1), [204]);
    assert.deepEqual((await get(`${url}/.sales_lock`)).slice(0, 1), [204]);
    const others = ['other.json', '.lastgood/operations.jsonl', '%2elastgood/operations.jsonl', 'objects/%2e%2e/.lastgood/operations.jsonl', 'objects'];
    for (const path of others) assert.equal((await get(`${url}/${path}`))[0], 404, path);
    const up = await get(`${url}/..%2f..%2fmain.js`);
    assert.ok(up[0] !== 200 || !up[3].includes('built'), 'what is beside the feed is not of it');
    assert.equal((await get('/robots.txt'))[3], 'public');
  });

  test(`a feed in ${feed} is left out of builds, and served with their preview`, async (t) => {
    const root = await project(feed);
    await build(config(root, options));
    const built = (await readdir(join(root, 'dist'), { recursive: true })).filter((path) => !path.startsWith('assets'));
    assert.deepEqual(built.sort(), ['.well-known', '.well-known/security.txt', 'index.html', 'robots.txt']);
    assert.match(await readFile(join(root, 'dist/index.html'), 'utf8'), /assets\/index/);
    await access(join(root, feed, 'manifest.json'));
    const server = await preview(config(root, options));
    t.after(() => server.close());
    const get = await served(server);
    const url = options?.url ?? '/data';
    assert.deepEqual(await get(`${url}/manifest.json`), [200, 'application/json', 'no-cache', '{"signed":{}}']);
  });
}

test('a project that has no feed here is built as ever', async () => {
  const root = await project('public/data');
  await rm(join(root, 'public'), { recursive: true });
  await build(config(root));
  assert.deepEqual((await readdir(join(root, 'dist'))).sort(), ['assets', 'index.html']);
});

test('a project without a public directory, or that copies none, stays so', async () => {
  const root = await project('feed');
  await build({ ...config(root, { dir: 'feed' }), publicDir: false });
  assert.deepEqual((await readdir(join(root, 'dist'))).sort(), ['assets', 'index.html']);
  const other = await project('public/data');
  await build({ ...config(other), build: { copyPublicDir: false } });
  assert.deepEqual((await readdir(join(other, 'dist'))).sort(), ['assets', 'index.html']);
});
