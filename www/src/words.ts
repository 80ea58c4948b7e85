/** What visitors are told about a state. */

import { formatAgo } from './format';
import type { Code, Kind, Provenance, State } from './state';

export const LABELS: Readonly<Record<Kind, string>> = {
  loading: 'Loading',
  fresh: 'Fresh',
  updating: 'Updating',
  cached: 'Cached',
  failed: 'Failed',
};

interface Explanation {
  /** What happened, to a visitor. */
  readonly reason: string;
  /** What can be done about it. */
  readonly advice: string;
}

const REACH: Explanation = {
  reason: 'The data server cannot be reached.',
  advice: 'Check your internet connection. If other sites work, the server is down for now.',
};
const WAIT_OR_TELL = 'This usually passes by itself. If it lasts, tell the operator of this site.';
const TELL = 'Tell the operator of this site, and quote the code below.';
const RELOAD = 'Reload the page.';
const UPDATE = `${RELOAD} If that does not help, the operator has to update it.`;

const EXPLANATIONS: Readonly<Record<Code, Explanation>> = {
  locked: {
    reason: 'New data is being published right now.',
    advice: 'Nothing to do: the page shows it as soon as it is there.',
  },
  checking: {
    reason: 'The page is asking the server whether there is newer data.',
    advice: 'Nothing to do: the page says what comes of it.',
  },
  offline: REACH,
  timeout: { reason: 'The data server does not answer in time.', advice: REACH.advice },
  http: { reason: 'The data server reports an error.', advice: WAIT_OR_TELL },
  truncated: { reason: 'The connection broke during the download.', advice: 'Check your internet connection.' },
  'not-json': {
    reason: 'The server sent something other than data.',
    advice: 'A sign-in page of the network may be in the way. If not, tell the operator: the feed’s address answers with a page.',
  },
  'too-large': { reason: 'The data is larger than this page accepts.', advice: TELL },
  'manifest-invalid': { reason: 'The list of current data is damaged.', advice: WAIT_OR_TELL },
  'format-unsupported': {
    reason: 'The data comes in a newer format than this page reads.',
    advice: UPDATE,
  },
  expired: { reason: 'The data is past the date until which it was valid.', advice: WAIT_OR_TELL },
  regressed: { reason: 'The server offers older data than before.', advice: WAIT_OR_TELL },
  'checksum-mismatch': { reason: 'The data was damaged on the way and was not used.', advice: WAIT_OR_TELL },
  'not-found': { reason: 'The feed has no such dataset.', advice: 'The operator has to publish it, or check the feed’s address.' },
  inconsistent: { reason: 'The stored copies do not belong together.', advice: WAIT_OR_TELL },
  'wrong-kind': { reason: 'The dataset is of another kind than this page was written for.', advice: TELL },
  'schema-invalid': { reason: 'The data is not of the shape that its publisher has declared.', advice: WAIT_OR_TELL },
  'schema-unsupported': { reason: 'The shape of the data is declared in a way that this page does not know.', advice: UPDATE },
  'schema-newer': { reason: 'The data is of a newer shape than this page was written for.', advice: UPDATE },
  'schema-older': { reason: 'The data is of an older shape than this page reads.', advice: WAIT_OR_TELL },
  'schema-missing': { reason: 'The data comes without the declaration of its shape that this page needs.', advice: TELL },
  'migration-failed': { reason: 'The data is of an older shape, and this page could not convert it.', advice: TELL },
  'too-old': { reason: 'The stored copy is too old to be shown.', advice: WAIT_OR_TELL },
  'invalid-name': { reason: 'This page asks for a dataset whose name is not allowed.', advice: TELL },
  'invalid-url': { reason: 'The feed’s address cannot be used.', advice: 'Check the address after “?feed=”.' },
  'invalid-options': { reason: 'This page is set up wrongly.', advice: TELL },
  aborted: { reason: 'The reading was called off.', advice: 'Retry.' },
  closed: { reason: 'The feed was closed.', advice: RELOAD },
  wasm: {
    reason: 'The part of this page that checks the data could not be loaded.',
    advice: 'Check your connection and try again. A browser or an extension that blocks WebAssembly causes this too.',
  },
  internal: { reason: 'The part of this page that checks the data has stopped.', advice: 'Retry, and report it if it stays.' },
  'unexpected-shape': {
    reason: 'Unexpected shape: the data is intact, but not what this page was written for.',
    advice: UPDATE,
  },
  unknown: { reason: 'Something unforeseen went wrong.', advice: `${RELOAD} If it happens again, tell the operator of this site.` },
};

export const explain = (code: Code): Explanation => EXPLANATIONS[code];

export interface Wording {
  /** Which data is shown and how old it is. */
  readonly summary: string;
  /** Why, and what to do; empty when there is nothing to say. */
  readonly note: string;
}

/** `now` by the clock of {@link Provenance.readAt}. */
export function wordingOf(state: State, now: number): Wording {
  switch (state.kind) {
    case 'loading':
      return { summary: 'Waiting for the first data', note: '' };
    case 'fresh':
      return { summary: published(state.shown, now), note: 'Current, complete and verified.' };
    case 'updating':
      return { summary: published(state.shown, now), note: explain(state.why.code).reason };
    case 'cached':
      return { summary: published(state.shown, now), note: `${explain(state.why.code).reason} This is the last good copy.` };
    case 'failed': {
      const summary = state.shown === null ? 'Nothing to show' : `Still showing generation ${state.shown.generation}`;
      const { reason, advice } = explain(state.why.code);
      return { summary, note: `${reason} ${advice}` };
    }
  }
}

/** How old the shown data is by now, in milliseconds. */
export const ageOf = (shown: Provenance, now: number): number => shown.ageMs + (now - shown.readAt);

function published(shown: Provenance, now: number): string {
  return `Generation ${shown.generation}, published ${formatAgo(ageOf(shown, now))}`;
}

/** What a screen reader is told of a transition; `null` when it would only be noise. */
export function announcement(title: string, before: State, after: State): string | null {
  const trouble = troubleOf(after);
  if (trouble === troubleOf(before) || after.kind === 'loading') return null;
  return `${title}: ${trouble ?? 'fresh again.'}`;
}

function troubleOf(state: State): string | null {
  if (state.kind !== 'cached' && state.kind !== 'failed') return null;
  return `${LABELS[state.kind].toLowerCase()}. ${explain(state.why.code).reason}`;
}

/** One line about all datasets of the page. */
export function overallWording(kind: Kind, kinds: readonly Kind[]): string {
  const count = kinds.filter((other) => other === kind).length;
  const of = `${count} of ${kinds.length} datasets`;
  switch (kind) {
    case 'loading':
      return 'Loading the data';
    case 'fresh':
      return 'All data is fresh';
    case 'updating':
      return 'New data is being published';
    case 'cached':
      return count === kinds.length ? 'Showing cached data' : `${of} cached`;
    case 'failed':
      return count === kinds.length ? 'No dataset is available' : `${of} failed`;
  }
}
