import { open } from 'lastgood';

import Performance from './performance.js';

export const dynamic = 'force-dynamic';

export default async function Page() {
  const feed = await open(`${process.env.SITE}data/`);
  const reading = await feed.read('performance');
  feed.close();
  return (
    <>
      <output id="server">{JSON.stringify(reading)}</output>
      <Performance />
    </>
  );
}
