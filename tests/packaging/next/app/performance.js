'use client';

import { open } from 'lastgood';
import { useEffect, useState } from 'react';

export default function Performance() {
  const [reading, setReading] = useState(null);
  useEffect(() => {
    open('/data/')
      .then((feed) => feed.read('performance'))
      .then(setReading, (error) => setReading(String(error)));
  }, []);
  return reading ? <output id="client">{JSON.stringify(reading)}</output> : <p id="fallback">nothing yet</p>;
}
