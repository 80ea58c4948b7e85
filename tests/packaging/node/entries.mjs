// Every script that the package.json of the package leads to, whatever the condition.
import { readFileSync } from 'node:fs';

const manifest = new URL('node_modules/lastgood/package.json', import.meta.url);

const targets = Object.values(JSON.parse(readFileSync(manifest, 'utf8')).exports)
  .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
  .filter((target) => target.endsWith('.js'));

export const scripts = [...new Set(targets)].sort().map((target) => new URL(target, manifest));

/** Tells the tests which they were. */
export function tell() {
  process.stdout.write(scripts.map((script) => script.pathname.split('/').at(-1)).join(' '));
}
