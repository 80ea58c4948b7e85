/** Which of several tabs leads. Two may for a moment: that costs a request, and nothing depends on it. */

import type { Clock } from './clock.js';

/** A candidacy that lasts until `signal` is aborted; `onChange` is told when it is won, and when it is lost again. */
export type Election = (name: string, signal: AbortSignal, onChange: (leading: boolean) => void) => void;

/** What a page has for this; each may be missing, blocked, or throw. */
export interface ElectionScope {
  readonly locks: LockManager | null;
  readonly storage: Storage | null;
  readonly clock: Clock;
}

/**
 * By a Web Lock, which the browser releases when a tab crashes; else by a lease in localStorage; `null` when there is
 * neither.
 */
export function electionOf(scope: ElectionScope): Election | null {
  const { locks, storage } = scope;
  const byLease = storage === null ? null : leaseElection(storage, scope);
  if (locks === null) return byLease;
  return (name, signal, onChange) => {
    void lead(locks, name, signal, onChange).catch(() => {
      // Documents without an origin have the interface, and are refused its use.
      if (byLease === null) onChange(true);
      else byLease(name, signal, onChange);
    });
  };
}

/** Resolves when `signal` is aborted; rejects when locks cannot be used here. */
async function lead(
  locks: LockManager,
  name: string,
  signal: AbortSignal,
  onChange: (leading: boolean) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await locks.request(name, { signal }, async () => {
        if (signal.aborted) return;
        onChange(true);
        await new Promise<void>((release) => signal.addEventListener('abort', () => release(), { once: true }));
      });
    } catch (error) {
      if (signal.aborted) return;
      // Other code on this origin may steal any lock. Whoever does has it until it lets go; then it is ours to win
      // again.
      if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      onChange(false);
    }
  }
}

interface Lease {
  readonly token: string;
  readonly until: number;
}

/** The longest time that a crashed tab is still believed to lead. */
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** localStorage has no compare-and-swap: a claim counts if it still stands after so long. */
const SETTLE_MS = 100;

function leaseElection(storage: Storage, { clock }: ElectionScope): Election {
  return (name, signal, onChange) => {
    if (signal.aborted) return;
    const token = `${Math.random()}`;
    let leading = false;
    let cancel = (): void => {};

    const become = (now: boolean): void => {
      if (leading === now) return;
      leading = now;
      onChange(now);
    };
    const run = (): void => {
      let nextMs = RENEW_MS;
      try {
        nextMs = candidate();
      } catch {
        // Full or blocked since: from now on this tab is on its own.
        become(true);
      }
      cancel = clock.after(nextMs, run);
    };
    /** Claims or renews the lease; returns when to look again. */
    const candidate = (): number => {
      const now = clock.wall();
      const lease = parseLease(storage.getItem(name), now);
      const ours = lease?.token === token;
      become(ours);
      if (lease !== null && !ours) return Math.min(RENEW_MS, lease.until - now) + SETTLE_MS * clock.random();
      storage.setItem(name, JSON.stringify({ token, until: now + LEASE_MS } satisfies Lease));
      return ours ? RENEW_MS : SETTLE_MS;
    };

    signal.addEventListener('abort', () => {
      cancel();
      try {
        if (parseLease(storage.getItem(name), clock.wall())?.token === token) storage.removeItem(name);
      } catch {
        // It runs out by itself.
      }
    });
    run();
  };
}

/** `null` for what is no lease, has run out, or was made before the clock was set back. */
function parseLease(text: string | null, now: number): Lease | null {
  if (text === null) return null;
  try {
    const { token, until } = JSON.parse(text) as Partial<Lease>;
    if (typeof token !== 'string' || typeof until !== 'number') return null;
    return until > now && until <= now + LEASE_MS ? { token, until } : null;
  } catch {
    return null;
  }
}
