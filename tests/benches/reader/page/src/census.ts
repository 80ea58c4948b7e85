/** Counts what a page has open. Import it before anything that it is to count. */

const memories = new Set<WebAssembly.Memory>();
const timers = new Set<unknown>();
const channels = new Set<BroadcastChannel>();
let listeners = 0;

/** What is open now. */
export async function census() {
  const { held = [], pending = [] } = (await navigator.locks?.query()) ?? {};
  return {
    timers: timers.size,
    listeners,
    channels: channels.size,
    locks: held.length + pending.length,
    /** Of all instances, in bytes: the memory of a module never shrinks. */
    wasm: [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
  };
}

const { setTimeout, clearTimeout, setInterval, clearInterval, BroadcastChannel } = globalThis;

Object.assign(globalThis, {
  setTimeout(callback: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) {
    const timer = setTimeout(() => {
      timers.delete(timer);
      callback(...given);
    }, ms);
    timers.add(timer);
    return timer;
  },
  setInterval(callback: () => void, ms?: number) {
    const timer = setInterval(callback, ms);
    timers.add(timer);
    return timer;
  },
  clearTimeout(timer: number) {
    timers.delete(timer);
    clearTimeout(timer);
  },
  clearInterval(timer: number) {
    timers.delete(timer);
    clearInterval(timer);
  },
  BroadcastChannel: class extends BroadcastChannel {
    constructor(name: string) {
      super(name);
      channels.add(this);
    }

    override close() {
      channels.delete(this);
      super.close();
    }
  },
});

// Of the targets that live as long as the page: what listens to others goes with them.
for (const target of [globalThis, document] as EventTarget[]) {
  const { addEventListener, removeEventListener } = target;
  const known = new Map<string, Set<unknown>>();
  const forget = (type: string, listener: unknown) => {
    if (known.get(type)?.delete(listener)) listeners--;
  };
  target.addEventListener = (type: string, listener: EventListener | null, options?: AddEventListenerOptions | boolean) => {
    const ofType = known.get(type) ?? new Set();
    known.set(type, ofType);
    if (!ofType.has(listener)) listeners++;
    ofType.add(listener);
    addEventListener.call(target, type, listener, options);
    if (typeof options !== 'object') return;
    options.signal?.addEventListener('abort', () => forget(type, listener));
    if (options.once) addEventListener.call(target, type, () => forget(type, listener), { once: true });
  };
  target.removeEventListener = (type: string, listener: EventListener | null, options?: EventListenerOptions | boolean) => {
    forget(type, listener);
    removeEventListener.call(target, type, listener, options);
  };
}

for (const name of ['instantiate', 'instantiateStreaming'] as const) {
  const instantiate = WebAssembly[name].bind(WebAssembly) as (...given: unknown[]) => Promise<unknown>;
  Object.assign(WebAssembly, {
    async [name](...given: unknown[]) {
      const made = (await instantiate(...given)) as WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource;
      const { exports } = 'instance' in made ? made.instance : made;
      for (const value of Object.values(exports)) if (value instanceof WebAssembly.Memory) memories.add(value);
      return made;
    },
  });
}
