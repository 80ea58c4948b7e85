/**
 * The entry `lastgood/react/status`.
 *
 * @module
 */

import { createElement } from 'react';

import { useAge } from './react.js';
import type { ErrorCode, FallbackReading, Reading } from './types.js';

/**
 * How things are with what a page shows.
 *
 * - `pending`: there is nothing yet.
 * - `fresh`: it is what a manifest checked just now names.
 * - `checking`: it is the copy from before, while the feed is looked at.
 * - `updating`: the publisher is about to change it (`locked`).
 * - `offline`: the server could not be reached, or did not answer as it should.
 * - `expired`: it is past its end.
 * - `stale`: something else is wrong; the reason says what.
 * - `failed`: there is nothing to show.
 */
export type FeedState = 'pending' | 'fresh' | 'checking' | 'updating' | 'offline' | 'expired' | 'stale' | 'failed';

/** What {@link FeedStatus} says. */
export interface StatusTexts extends Readonly<Record<FeedState, string>> {
  /** An age, given in milliseconds. */
  readonly age: (ms: number) => string;
}

/** What a hook of `lastgood/react` returns. */
export interface AnyResult {
  readonly status: 'pending' | 'success' | 'error';
  readonly isFetching: boolean;
  readonly reading?: Reading | FallbackReading | null;
  readonly readings?: { readonly [dataset: string]: Reading } | null;
}

/** Properties of {@link FeedStatus}. */
export interface FeedStatusProps {
  /** What `useDataset`, `useSnapshot` or `useArtifact` has returned. */
  of: AnyResult;
  /** In the place of those in English. */
  texts?: Partial<StatusTexts>;
  className?: string;
  id?: string;
}

/** What a component of React returns. Not by its name: package managers that keep packages apart would not find the types of React. */
export interface StatusElement {
  readonly type: any;
  readonly props: unknown;
  readonly key: string | null;
}

/**
 * Says whether what the page shows is current, and how old it is. It has no style: `data-state` has the state, and `data-fetching` is there
 * while a look is under way. A screen reader is told when the state changes, and not each time the age ticks.
 */
export function FeedStatus({ of, texts, className, id }: FeedStatusProps): StatusElement {
  const told = { ...ENGLISH, ...texts };
  const state = stateOf(of);
  const reading = oldest(of);
  const age = useAge(reading);
  return createElement(
    'div',
    { className, id, 'data-state': state, 'data-fetching': of.isFetching ? '' : undefined },
    createElement('span', { role: 'status', 'aria-live': 'polite' }, told[state]),
    age !== null && ' ',
    // Its own element, outside of what is announced. Server and browser may know other words for an age.
    age !== null &&
      createElement('time', { dateTime: reading?.publishedAt, suppressHydrationWarning: true }, told.age(age)),
  );
}

/** How things are with a result. */
export function stateOf(result: AnyResult): FeedState {
  if (result.status === 'error') return 'failed';
  const readings = readingsOf(result);
  if (readings.length === 0) return 'pending';
  const reasons = readings.map(({ reason }) => reason).filter((reason) => reason !== null);
  const states = reasons.map((reason) => STATES[reason] ?? 'stale');
  return SEVEREST.find((state) => states.includes(state)) ?? 'fresh';
}

const STATES: { readonly [reason in ErrorCode | 'pending']?: FeedState } = {
  pending: 'pending',
  checking: 'checking',
  locked: 'updating',
  offline: 'offline',
  timeout: 'offline',
  http: 'offline',
  truncated: 'offline',
  expired: 'expired',
};
/** Of several datasets, the state that is worst is that of all. */
const SEVEREST: readonly FeedState[] = ['stale', 'expired', 'offline', 'updating', 'checking', 'pending'];

function readingsOf({ reading, readings }: AnyResult): readonly (Reading | FallbackReading)[] {
  return reading ? [reading] : Object.values(readings ?? {});
}

function oldest(result: AnyResult): Reading | FallbackReading | null {
  return readingsOf(result).reduce<Reading | FallbackReading | null>(
    (oldest, reading) => ((reading.ageMs ?? 0) > (oldest?.ageMs ?? -1) ? reading : oldest),
    null,
  );
}

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** An age in the words of a language, such as "3 minutes ago". */
export function ago(language: string, ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms >= length) ?? (['second', 1000] as const);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-Math.floor(ms / length), unit);
}

export const ENGLISH: StatusTexts = {
  pending: 'Loading…',
  fresh: 'Up to date',
  checking: 'Checking for updates…',
  updating: 'Being updated',
  offline: 'No connection: showing the last good data',
  expired: 'Out of date',
  stale: 'Not updated: showing the last good data',
  failed: 'No data',
  age: (ms) => ago('en', ms),
};

export const GERMAN: StatusTexts = {
  pending: 'Wird geladen …',
  fresh: 'Aktuell',
  checking: 'Wird geprüft …',
  updating: 'Wird gerade aktualisiert',
  offline: 'Keine Verbindung: letzter guter Stand',
  expired: 'Nicht mehr gültig',
  stale: 'Nicht aktualisiert: letzter guter Stand',
  failed: 'Keine Daten',
  age: (ms) => ago('de', ms),
};

export const FRENCH: StatusTexts = {
  pending: 'Chargement…',
  fresh: 'À jour',
  checking: 'Vérification…',
  updating: 'Mise à jour en cours',
  offline: 'Pas de connexion : dernières données valides',
  expired: 'Périmé',
  stale: 'Non actualisé : dernières données valides',
  failed: 'Aucune donnée',
  age: (ms) => ago('fr', ms),
};

export const SPANISH: StatusTexts = {
  pending: 'Cargando…',
  fresh: 'Actualizado',
  checking: 'Comprobando…',
  updating: 'Actualización en curso',
  offline: 'Sin conexión: últimos datos válidos',
  expired: 'Caducado',
  stale: 'Sin actualizar: últimos datos válidos',
  failed: 'Sin datos',
  age: (ms) => ago('es', ms),
};
