/** @jest-environment jest-fixed-jsdom */
import { open } from 'lastgood';
import { open as openInline } from 'lastgood/inline';
import { testFeed } from 'lastgood/testing';

const feed = new URL('data/', process.env.SITE);

test.each([['lastgood', open], ['lastgood/inline', openInline]])('%s reads', async (_, open) => {
  const reading = await (await open(feed)).read('performance');
  expect(reading).toMatchObject({ data: [{ day: 1, value: 3.5 }], fresh: true });
});

test('a feed in memory is read, and goes away', async () => {
  const feed = await testFeed({ performance: [1] });
  expect(await feed.read('performance')).toMatchObject({ data: [1], fresh: true });
  await feed.goAway();
  expect(await feed.read('performance')).toMatchObject({ data: [1], reason: 'offline' });
  feed.close();
});
