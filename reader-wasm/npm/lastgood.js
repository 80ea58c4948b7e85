import init, { Reader } from './lastgood_reader.js';

/** Every failure of this package; lastgood.d.ts says what its members mean. */
export class LastgoodError extends Error {
  constructor(message, { code, dataset = null, url = null, status = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LastgoodError';
    this.code = code;
    this.dataset = dataset;
    this.url = url;
    this.status = status;
  }
}

export async function open(url, options) {
  const address = feedAddress(url);
  await load(options?.wasm);
  try {
    return new Feed(address, new Reader(address, withSafeListener(options)));
  } catch (error) {
    throw lastgoodError(error);
  }
}

class Feed {
  #reader;

  constructor(url, reader) {
    this.url = url;
    this.#reader = reader;
  }

  async read(name, options) {
    const [reading] = await this.#readAll([name], options);
    return reading;
  }

  async snapshot(names, options) {
    if (!Array.isArray(names)) {
      throw new LastgoodError("expected a list of dataset names, such as snapshot(['sales', 'stock'])", {
        code: 'invalid-name',
      });
    }
    const readings = await this.#readAll([...new Set(names)], options);
    return Object.fromEntries(readings.map((reading) => [reading.dataset, reading]));
  }

  close() {
    this.#reader.close();
  }

  async #readAll(names, options) {
    try {
      return await this.#reader.read(names, options);
    } catch (error) {
      throw lastgoodError(error, error?.code === 'aborted' ? options.signal.reason : undefined);
    }
  }
}

/** The module being loaded, or loaded; nothing after a failure, so that the next call tries again. */
let loading;

async function load(wasm) {
  // Only one at a time: a second instance would take the place of the first under the feet of its feeds.
  loading ??= init({ module_or_path: wasm }).catch((error) => {
    loading = undefined;
    throw error;
  });
  try {
    await loading;
  } catch (error) {
    throw new LastgoodError(
      `the WebAssembly module could not be loaded (${error}); ` +
        'if your bundler or server does not find it, pass its address as the option "wasm"',
      { code: 'wasm', cause: error },
    );
  }
}

function feedAddress(given) {
  const refuse = (problem, cause) => {
    throw new LastgoodError(`cannot read a feed at "${given}": ${problem}`, { code: 'invalid-url', cause });
  };
  let url;
  try {
    // Anything else would be turned into text and taken for a directory: "undefined".
    if (typeof given !== 'string' && !(given instanceof URL)) throw new TypeError(`found ${typeof given}`);
    url = new URL(given, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (error) {
    refuse('expected an address such as "/data/" or "https://example.org/data/"; outside a page it must be absolute', error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    refuse(`expected http or https, found ${url.protocol}`);
  }
  if (url.username || url.password) {
    refuse('browsers refuse requests to addresses with a user name or a password');
  }
  if (url.search || url.hash) {
    refuse(`leave out "${url.search}${url.hash}": the names of files are put behind the address`);
  }
  if (url.pathname.endsWith('/manifest.json')) {
    refuse(`expected the directory of the feed: "${new URL('.', url)}"`);
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

/** What an app's listener throws must not end a read. */
function withSafeListener(options) {
  const listener = options?.onEvent;
  if (typeof listener !== 'function') {
    return options;
  }
  const onEvent = (event) => {
    try {
      listener(event);
    } catch (error) {
      console.error(error);
    }
  };
  return { ...options, onEvent };
}

/** The module rejects with plain objects; anything else is a defect, and is passed on as it is. */
function lastgoodError(error, cause) {
  return typeof error?.code === 'string' ? new LastgoodError(error.message, { ...error, cause }) : error;
}
