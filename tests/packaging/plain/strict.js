// By its path: an import map in the page is an inline script, which the policy would have to name by its hash.
import { open } from '/node_modules/lastgood/lastgood.js';
import { show } from './show.js';

globalThis.violations = [];
addEventListener('securitypolicyviolation', (event) => {
  violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});

show(async () => {
  const feed = await open('/data/');
  return feed.read('performance');
});
