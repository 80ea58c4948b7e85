/** Numbers, dates and ages in words. */

const MINUS = '\u2212';

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const minuteFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});
const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'short', timeZone: 'UTC' });
const monthYearFormat = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
const numberFormats = [0, 1, 2].map(
  (digits) => new Intl.NumberFormat('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

export type Digits = 0 | 1 | 2;

export const formatDay = (at: number): string => dayFormat.format(at);
export const formatMinute = (at: number): string => minuteFormat.format(at);
export const formatMonth = (at: number): string => monthFormat.format(at);
export const formatMonthYear = (at: number): string => monthYearFormat.format(at);

/** With a real minus sign, so that columns of figures line up and are read out right. */
export function formatNumber(value: number, digits: Digits): string {
  const shown = numberFormats[digits]?.format(value) ?? String(value);
  // What rounds to zero has no sign.
  return /^-[0.,]*$/.test(shown) ? shown.slice(1) : shown.replace('-', MINUS);
}

/** The difference as the reader of two rounded figures sees it. */
export function formatChange(now: number, before: number, digits: Digits): string {
  const scale = 10 ** digits;
  const difference = (Math.round(now * scale) - Math.round(before * scale)) / scale;
  if (difference === 0) return '±0';
  const sign = difference > 0 ? '+' : '';
  return `${sign}${formatNumber(difference, digits)}`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something takes or took: `12 s`, `3 min`, `2 h 5 min`, `4 days`. */
export function formatDuration(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE);
    return `${Math.floor(ms / HOUR)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  const days = Math.floor(ms / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

export function formatAgo(ms: number): string {
  // Clocks that disagree by a moment are no reason to speak of the future.
  return ms < SECOND ? 'just now' : `${formatDuration(ms)} ago`;
}
