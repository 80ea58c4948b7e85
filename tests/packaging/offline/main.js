import { open } from 'lastgood';

// Not while the page is developed: it would show the page of before.
if (import.meta.env.PROD && 'serviceWorker' in navigator) navigator.serviceWorker.register('/sw.js');

const output = document.createElement('output');
const feed = await open('/data/');
output.value = await feed.read('performance').then(JSON.stringify, String);
document.body.append(output);
