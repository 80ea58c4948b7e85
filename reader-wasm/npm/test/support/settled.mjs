// All but small copies are written after a value was handed out. Tests of copies wait for that.

import { setImmediate, setTimeout } from 'node:timers/promises';

/** How often it is looked whether anything goes on, and for how many rounds of the event loop. */
const [TIMES, ROUNDS] = [4, 60];

/** Resolves when what was begun has ended, as far as it waits for nobody else. */
export async function settled() {
  for (let time = 0; time < TIMES; time += 1) {
    // Large copies are written in a task of the page's own, which a timer begins.
    await setTimeout(3);
    for (let round = 0; round < ROUNDS; round += 1) await setImmediate();
  }
}

/** `open` with feeds whose readings come when their copies are written, or cannot be. */
export function settling(open) {
  return async (...given) => {
    const feed = await open(...given);
    const after = (call) => async (...args) => {
      try {
        return await call.apply(feed, args);
      } finally {
        await settled();
      }
    };
    return new Proxy(feed, {
      get: (_, name) => {
        const member = feed[name];
        if (['read', 'snapshot', 'artifact'].includes(name)) return after(member);
        return typeof member === 'function' ? member.bind(feed) : member;
      },
    });
  };
}
