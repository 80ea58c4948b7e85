// By its path: an import map in the page is an inline script, which the policy would have to name by its hash.
import { open } from '/node_modules/lastgood/lastgood.js';
import { show } from './show.js';

// Where the tests can see them. The icon that a browser may ask for by itself is none of the package's.
addEventListener('securitypolicyviolation', (event) => {
  if (event.effectiveDirective === 'img-src') return;
  document.documentElement.dataset.violation = `${event.violatedDirective}: ${event.blockedURI}`;
});

show(async () => {
  const feed = await open('/data/');
  return feed.read('performance');
});
