const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const writeFileAtomic = require('write-file-atomic');

const [directory, payload] = process.argv.slice(2);
const bytes = fs.readFileSync(payload);
(async () => {
  for await (const _ of readline.createInterface({ input: process.stdin })) {
    const begin = process.hrtime.bigint();
    await writeFileAtomic(path.join(directory, 'node.json'), bytes);
    console.log(String(process.hrtime.bigint() - begin));
  }
})();
