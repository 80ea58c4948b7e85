'use client';

import { open } from 'lastgood';
import { useAge, useDataset } from 'lastgood/react';

// Called on the server too, where there is no page that the address could be relative to, and nobody waits for it.
const feed = open('/data/');

export default function Performance({ initial }) {
  const { data, reading, error } = useDataset(feed, 'performance', { fallback: initial });
  const age = useAge(reading);
  return (
    <>
      <p id="first">{`${data.length} days of generation ${reading.generation}, ${age} ms old`}</p>
      {error && <output id="client">{String(error)}</output>}
      {reading.fresh && <output id="client">{JSON.stringify(reading)}</output>}
    </>
  );
}
