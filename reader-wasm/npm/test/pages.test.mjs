// What the pages of the package link to is in the package: its readers have nothing else.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { directory } from './support/package.mjs';

/** The text of a page without its blocks of code. */
async function prose(page) {
  return (await readFile(page, 'utf8')).replaceAll(/^```.*?^```$/gms, '');
}

/** What a heading is called in a link. */
const anchor = (heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');

async function anchors(page) {
  return [...(await prose(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => `#${anchor(heading)}`);
}

test('every link leads to a file of the package, and to a heading that it has', async () => {
  const names = (await readdir(directory, { recursive: true })).filter((name) => !name.startsWith('node_modules'));
  const pages = names.filter((name) => name.endsWith('.md'));
  assert.ok(pages.includes('README.md') && pages.length > 10, `only ${pages}`);
  const dead = [];
  let links = 0;
  for (const name of pages) {
    const page = new URL(name, directory);
    for (const [, link] of (await prose(page)).matchAll(/\]\(([^)]+)\)/g)) {
      const target = new URL(link, page);
      if (target.protocol !== 'file:') continue;
      links += 1;
      const file = new URL(target.pathname, target);
      const found = target.href.startsWith(directory.href) && names.includes(target.pathname.slice(directory.pathname.length));
      if (!found || (target.hash !== '' && !(await anchors(file)).includes(target.hash))) dead.push(`${name}: ${link}`);
    }
  }
  assert.deepEqual(dead, []);
  assert.ok(links > 30, `only ${links} links`);
});

test('every page can be reached from the README', async () => {
  const reached = new Set();
  const queue = [new URL('README.md', directory).href];
  for (let page = queue.pop(); page !== undefined; page = queue.pop()) {
    if (reached.has(page)) continue;
    reached.add(page);
    const links = (await prose(new URL(page))).matchAll(/\]\(([^)#]+\.md)[^)]*\)/g);
    queue.push(...[...links].map(([, link]) => new URL(link, page).href));
  }
  const pages = (await readdir(new URL('docs/', directory))).map((name) => new URL(`docs/${name}`, directory).href);
  assert.deepEqual(pages.filter((page) => !reached.has(page)), []);
});
