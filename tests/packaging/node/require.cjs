const { open } = require('lastgood');

open(new URL('data/', process.env.SITE))
  .then((feed) => feed.read('performance'))
  .then((reading) => console.log(JSON.stringify(reading)));
