/** Work that several callers wait for, and that ends when the last of them has left. */
interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  callers: number;
}

/** One flight per key, whatever the number of callers. */
export class Flights {
  readonly #flights = new Map<string, Flight<unknown>>();

  /**
   * Joins the flight of this key, or starts it. Aborting `signal` ends this caller's part; the others', and the work itself
   * while there are any, go on.
   */
  async join<T>(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    let flight = this.#flights.get(key) as Flight<T> | undefined;
    if (!flight) {
      const controller = new AbortController();
      flight = { result: start(controller.signal), controller, callers: 0 };
      this.#flights.set(key, flight);
      // Whoever comes after the end wants to know what is there then.
      const land = () => this.#remove(key, flight);
      flight.result.then(land, land);
    }
    flight.callers += 1;
    try {
      return await unlessAborted(flight.result, signal);
    } finally {
      flight.callers -= 1;
      if (flight.callers === 0) {
        this.#remove(key, flight);
        flight.controller.abort();
      }
    }
  }

  #remove(key: string, flight: unknown): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** The result, or the signal's reason as soon as it is aborted. Leaves no listener behind. */
export async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

/** The result, or that of `late` when it takes longer; what it does then is nobody's concern. Leaves no timer behind. */
export async function within<T>(ms: number, result: Promise<T>, late: () => T): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    return await Promise.race([result, passed.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
