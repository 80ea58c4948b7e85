import { open } from '/node_modules/lastgood/lastgood.js';

addEventListener('message', (event) => event.waitUntil(answer(event.ports[0])));

async function answer(port) {
  try {
    const feed = await open('/data/');
    port.postMessage(await feed.read('performance'));
  } catch (error) {
    port.postMessage({ error: { code: error.code, message: error.message } });
  }
}
