import type { Numbers } from '../types.js';

/**
 * A value that is an integer beyond ±(2^53 − 1), give or take a few: 16 digits that begin with 9, or more of them,
 * without fraction and exponent. What stands before and after it keeps out the digits of fractions, which are what long
 * runs of digits usually are. It may be inside a string.
 */
const LARGE_INTEGER = /(^|[[,:\s])(-?(?:9\d{15}|[1-9]\d{16,}))(?=[\s,\]}]|$)/;
const LARGE_INTEGERS = new RegExp(LARGE_INTEGER, 'g');
const SHORTEST = 16;

/**
 * `JSON.parse` that can keep every digit of integers beyond ±(2^53 − 1): numbers written with digits alone, so `1e20`
 * stays a number.
 *
 * A text without such integers costs one scan more than `JSON.parse`. In a text that has some, each becomes a string
 * before it is parsed. The `context.source` of newer engines' revivers would do the same, but calls back for every
 * value, also where strings are wanted, and older engines would need all this anyway.
 *
 * @throws {SyntaxError} when the text is not JSON
 */
export function parse(text: string, numbers: Numbers): unknown {
  if (numbers === 'number' || !LARGE_INTEGER.test(text)) return JSON.parse(text);
  // Before it is rewritten, so that what is not JSON is told as the engine tells it.
  const rounded: unknown = JSON.parse(text);
  let found = false;
  const marker = numbers === 'bigint' ? markerFor(text) : '';
  const exact = outsideStrings(text, (part) =>
    part.replace(LARGE_INTEGERS, (whole, before: string, digits: string) => {
      if (Number.isSafeInteger(Number(digits))) return whole;
      found = true;
      return `${before}"${marker}${digits}"`;
    }),
  );
  if (!found) return rounded;
  if (numbers === 'string') return JSON.parse(exact);
  // A reviver defines members where an assignment would change the prototype: `__proto__` is a name like any other in
  // JSON.
  return JSON.parse(exact, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(marker) ? BigInt(value.slice(marker.length)) : value,
  );
}

/** Changes what stands outside the strings of a JSON text and is long enough to have a large integer in it. */
function outsideStrings(text: string, change: (part: string) => string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let from = 0; from < text.length; ) {
    const quote = text.indexOf('"', from);
    const end = quote < 0 ? text.length : quote;
    if (end - from >= SHORTEST) {
      pieces.push(text.slice(copied, from), change(text.slice(from, end)));
      copied = end;
    }
    from = quote < 0 ? end : endOfString(text, quote);
  }
  return pieces.join('') + text.slice(copied);
}

/** Where the string that begins at `quote` is over. The text is JSON, so every string is. */
function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; ; at += 1) {
    at = text.indexOf('"', at);
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
}

/** What no string of the text begins with: a run of a character longer than any in it, written as itself or escaped. */
function markerFor(text: string): string {
  const runs = text.match(/(?:\ue000|\\ue000)+/gi) ?? [];
  return '\ue000'.repeat(1 + runs.reduce((longest, run) => Math.max(longest, run.length), 0));
}
