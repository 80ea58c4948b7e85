import { open } from 'lastgood';
import { connection } from 'next/server';
import { Suspense } from 'react';

import Performance from './performance.js';

// Once per process, and not while the app is built.
let feed;
const opened = () => (feed ??= open(`${process.env.SITE}data/`));

async function Dashboard() {
  // What follows is rendered for each request: what is fresh in a build is not fresh in a visit.
  await connection();
  const reading = await (await opened()).read('performance');
  return (
    <>
      <output id="server">{JSON.stringify(reading)}</output>
      <Performance initial={reading} />
    </>
  );
}

export default function Page() {
  return (
    <Suspense fallback={<p>…</p>}>
      <Dashboard />
    </Suspense>
  );
}
