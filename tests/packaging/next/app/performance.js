'use client';

import { open } from 'lastgood';
import { useDataset } from 'lastgood/react';

// Called on the server too, where there is no page that the address could be relative to, and nobody waits for it.
const feed = open('/data/');

export default function Performance() {
  const { reading, error } = useDataset(feed, 'performance');
  if (error) return <output id="client">{String(error)}</output>;
  return reading ? <output id="client">{JSON.stringify(reading)}</output> : <p id="pending">nothing yet</p>;
}
