import { QueryClient } from '@tanstack/query-core';
import { open } from 'lastgood';
import { queryOptions } from 'lastgood/tanstack';

const feed = open(new URL('data/', process.env.SITE));
const reading = await new QueryClient().fetchQuery(queryOptions(feed, 'performance'));
console.log(JSON.stringify(reading));
