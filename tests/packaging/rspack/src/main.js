import { open } from 'lastgood';

show('page', async () => {
  const feed = await open('/data/');
  return feed.read('performance');
});

show('worker', () => new Promise((resolve) => {
  const worker = new Worker(new URL('./worker.js', import.meta.url));
  worker.onmessage = ({ data }) => resolve(data);
}));

async function show(id, read) {
  const output = document.createElement('output');
  output.id = id;
  output.value = await read().then(JSON.stringify, String);
  document.body.append(output);
}
