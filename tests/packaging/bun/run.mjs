import { open } from 'lastgood';

const feed = await open(new URL('data/', process.env.SITE));
console.log(JSON.stringify(await feed.read('performance')));
