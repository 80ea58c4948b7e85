/**
 * The entry `lastgood/vite`: a feed in projects that are built with Vite.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** Where the feed is. */
export interface LastgoodOptions {
  /** The feed's address on the site, as `open` gets it. @default '/data/' */
  url?: string;
  /** The feed's directory, relative to the root of the project. @default the address in Vite's `publicDir`: `public/data` */
  dir?: string;
}

/** A plugin of Vite 4 or later. */
export interface LastgoodPlugin {
  readonly name: string;
  readonly enforce: 'post';
  config(config: ViteConfig, env: { command: string }): object;
  configureServer(server: ViteServer): void;
  configurePreviewServer(server: ViteServer): void;
  writeBundle(options: { dir?: string | undefined }, bundle: object): Promise<void>;
}

/**
 * Serves a feed while the page is developed (`vite`, `vite preview`), and leaves it out of builds: it is published to a server, and not built.
 * Without it, a feed in `publicDir` would be copied with everything that is private in it, and the development server would take a lock marker
 * that has just gone for a script.
 */
export default function lastgood({ url = '/data/', dir }: LastgoodOptions = {}): LastgoodPlugin {
  const address = `/${url.split('/').filter(Boolean).join('/')}/`;
  let feed = '';
  /** What is copied instead of Vite: the public directory, if the feed is in it. */
  let copied: string | null = null;

  return {
    name: 'lastgood',
    // Frameworks say where the public directory is.
    enforce: 'post',
    config({ root = '.', publicDir = 'public', build = {} }, { command }) {
      const site = publicDir === false || publicDir === '' ? null : resolve(root, publicDir);
      feed = resolve(root, dir ?? join(site ?? 'public', address));
      const isPublic = site !== null && `${feed}${sep}`.startsWith(`${site}${sep}`) && existsSync(feed);
      const copies = command === 'build' && isPublic && build.copyPublicDir !== false && !build.ssr;
      copied = copies ? site : null;
      return {
        // Publishing is nothing that the page is to be built again for.
        server: { watch: { ignored: [`${feed.replaceAll('\\', '/')}/**`] } },
        ...(copies && { build: { copyPublicDir: false } }),
      };
    },
    configureServer: ({ middlewares }) => void middlewares.use(answer),
    configurePreviewServer: ({ middlewares }) => void middlewares.use(answer),
    async writeBundle({ dir }, bundle) {
      if (copied === null || dir === undefined) return;
      for await (const file of filesOf(copied, feed)) {
        const name = relative(copied, file);
        // What is built stands before what is public, as with Vite.
        if (name.replaceAll('\\', '/') in bundle) continue;
        await mkdir(dirname(join(dir, name)), { recursive: true });
        await copyFile(file, join(dir, name));
      }
    },
  };

  function answer(request: Request, response: Response, next: () => void): void {
    const path = pathOf(request.url ?? '');
    if (path?.startsWith(address)) void serve(path.slice(address.length), response);
    else next();
  }

  async function serve(path: string, response: Response): Promise<void> {
    response.setHeader('Cache-Control', LOCK.test(path) ? 'no-store' : 'no-cache');
    try {
      if (!LOCK.test(path) && !FILE.test(path)) throw new Error('the feed has no such file');
      const content = await readFile(join(feed, path));
      response.setHeader('Content-Type', typeOf(path));
      response.end(content);
    } catch {
      // A missing marker is nothing that the browser's console should complain of.
      response.statusCode = LOCK.test(path) ? 204 : 404;
      response.end();
    }
  }
}

/** Everything in a feed but what is private. */
const FILE = /^(?:objects\/|history\/)?[a-z0-9][a-z0-9_.-]*$/;
const LOCK = /^\.(?:[a-z0-9][a-z0-9_-]*_)?lock$/;

const TYPES: { readonly [extension: string]: string } = {
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  json: 'application/json',
  lock: 'application/json',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  webp: 'image/webp',
};

function typeOf(path: string): string {
  const [extension = ''] = /[a-z]+$/.exec(path) ?? [];
  return TYPES[extension] ?? 'application/octet-stream';
}

/** The path of a request, without what cannot be one. */
function pathOf(url: string): string | null {
  try {
    return decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return null;
  }
}

/** The files in a directory and those below it, without one of these. */
async function* filesOf(directory: string, without: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (path === without) continue;
    if (entry.isDirectory()) yield* filesOf(path, without);
    else yield path;
  }
}

// Of Vite and Node as much as is used: the package depends on neither.
interface ViteConfig {
  readonly root?: string | undefined;
  readonly publicDir?: string | false | undefined;
  readonly build?: { readonly copyPublicDir?: boolean | undefined; readonly ssr?: boolean | string | undefined } | undefined;
}

interface ViteServer {
  readonly middlewares: { use(handler: (request: Request, response: Response, next: () => void) => void): unknown };
}

interface Request {
  readonly url?: string | undefined;
  }

interface Response {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(content?: Uint8Array): unknown;
}
