/** What the browser has around a feed's watches. */

import type { FeedEvent, RequestOptions } from '../types.js';
import { systemClock } from './clock.js';
import { electionOf } from './election.js';
import { PROTOCOL } from './message.js';
import type { MakeResponses } from './responses.js';
import type { Surroundings } from './watches.js';

/** The options that decide who shares. */
export interface Sharing {
  readonly intervalMs: number;
  readonly minIntervalMs: number;
  readonly shareTabs: boolean | string;
  readonly init: RequestOptions | ((url: string) => RequestOptions | Promise<RequestOptions>);
  readonly fetch: typeof fetch | null;
}

/** Never throws: what is missing or blocked is done without. */
export function surroundings(
  url: string,
  options: Sharing,
  tell: (event: FeedEvent) => void,
  responses: MakeResponses,
  aged: () => void,
): Surroundings {
  const name = nameOf(url, options);
  const elect = electionOf({ locks: locks(), storage: storage(), clock: systemClock });
  // Without channels a leader could tell nobody.
  const canShare = typeof BroadcastChannel === 'function' && name !== null && elect !== null;
  return {
    intervalMs: options.intervalMs,
    minIntervalMs: options.minIntervalMs,
    clock: systemClock,
    page: globalThis,
    tabs: canShare ? { name, elect, openChannel: (name) => new BroadcastChannel(name) } : null,
    tell,
    responses,
    aged,
  };
}

/**
 * What tabs that may share have in common: `null` for those that may not. The answer to a request with other
 * credentials may be another one. A page's function cannot be compared with another page's, and headers may be secrets,
 * which do not belong into a name that any code on the origin can read; so pages with these share only if they say with
 * whom.
 */
export function nameOf(url: string, { shareTabs, init, fetch }: Omit<Sharing, 'intervalMs' | 'minIntervalMs'>): string | null {
  if (shareTabs === false) return null;
  if (typeof shareTabs === 'string') return `${PROTOCOL} ${url} ${shareTabs}`;
  if (fetch !== null || typeof init === 'function' || init.headers !== undefined) return null;
  const members = Object.entries(init).sort(([one], [other]) => (one < other ? -1 : 1));
  return `${PROTOCOL} ${url} ${JSON.stringify(members)}`;
}

function locks(): LockManager | null {
  return globalThis.navigator?.locks ?? null;
}

function storage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    // Blocked by the visitor's settings.
    return null;
  }
}
