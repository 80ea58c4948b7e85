import { open } from 'lastgood/inline';

addEventListener('message', (event) => event.waitUntil(answer(event.ports[0])));

async function answer(port) {
  const feed = await open('/data/');
  port.postMessage(await feed.read('performance'));
}
