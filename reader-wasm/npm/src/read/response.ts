/**
 * What a `fetch` gives that is not the platform's response: that of node-fetch, cross-fetch, a polyfill or a mock.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** What of a `Response` is read. */
export interface ReadableResponse {
  readonly status: number;
  readonly type: string;
  readonly bodyUsed: boolean;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): { read(): Promise<IteratorResult<Bytes, void>> } } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Takes what a `fetch` has given for a response. Throws, with what it is instead. */
export function adapt(given: unknown): ReadableResponse {
  const response = given as Response;
  if (typeof response?.status !== 'number') throw new TypeError('fetch gave no response with a status');
  const { status } = response;
  if (status === 200 && !isReadable(response)) {
    throw new TypeError('fetch gave a response without body, arrayBuffer() and text()');
  }
  return {
    status,
    // Only a browser says `basic`, of which the size that is told is believed.
    type: 'default',
    bodyUsed: false,
    headers: { get: (name) => header(response.headers, name) },
    body: { getReader: () => readerOf(response) },
    arrayBuffer: () => Promise.reject(new TypeError('it is read part by part')),
  };
}

function readerOf(response: Response): { read(): Promise<IteratorResult<Bytes, void>> } {
  const all = parts(response);
  return { read: () => all.next() };
}

function isReadable({ body, arrayBuffer, text }: Response): boolean {
  return isStream(body) || isIterable(body) || typeof arrayBuffer === 'function' || typeof text === 'function';
}

function isStream(body: unknown): body is ReadableStream<unknown> {
  return typeof (body as ReadableStream | null)?.getReader === 'function';
}

/** As the streams of Node are. */
function isIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof (body as AsyncIterable<unknown> | null)?.[Symbol.asyncIterator] === 'function';
}

function header(headers: unknown, name: string): string | null {
  const { get } = (headers ?? {}) as Headers;
  const value: unknown = typeof get === 'function' ? get.call(headers, name) : (headers as Record<string, unknown> | null)?.[name];
  return typeof value === 'string' ? value : null;
}

async function whole(response: Response): Promise<Bytes> {
  if (typeof response.arrayBuffer === 'function') return bytes(await response.arrayBuffer());
  return new TextEncoder().encode(await response.text());
}

async function* parts(response: Response): AsyncGenerator<Bytes, void, void> {
  const body: unknown = response.body;
  if (response.bodyUsed === true) throw new TypeError('the body was read before');
  if (isStream(body)) {
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield bytes(value);
    }
  }
  if (isIterable(body)) {
    for await (const part of body) yield bytes(part);
  } else {
    yield await whole(response);
  }
}

/** Also one of another realm, such as Jest's around jsdom, which is no instance of this one's. */
function isBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]';
}

function bytes(value: unknown): Bytes {
  if (isBuffer(value)) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) throw new TypeError('expected bytes in the body, found something else');
  return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
}
