// By its path: import maps do not reach into workers.
import { open } from '/node_modules/lastgood/lastgood.js';

const feed = await open('/data/');
postMessage(await feed.read('performance'));
