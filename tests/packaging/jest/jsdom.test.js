/** @jest-environment jest-fixed-jsdom */
import { open } from 'lastgood';
import { open as openInline } from 'lastgood/inline';

const feed = new URL('data/', process.env.SITE);

test.each([['lastgood', open], ['lastgood/inline', openInline]])('%s reads', async (_, open) => {
  const reading = await (await open(feed)).read('performance');
  expect(reading).toMatchObject({ data: [{ day: 1, value: 3.5 }], fresh: true });
});
