// Node refuses to `require` a module that has a top-level await.
const { fileURLToPath } = require('node:url');

const { scripts, tell } = require('./entries.mjs');

for (const script of scripts) {
  require(fileURLToPath(script));
}
tell();
