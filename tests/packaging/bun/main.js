import { open } from 'lastgood';

const output = document.createElement('output');
open('/data/')
  .then((feed) => feed.read('performance'))
  .then(JSON.stringify, String)
  .then((text) => {
    output.value = text;
    document.body.append(output);
  });
