import { open } from 'lastgood';

open('/data/')
  .then((feed) => feed.read('performance'))
  .then(postMessage);
