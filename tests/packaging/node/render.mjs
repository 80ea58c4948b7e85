// A server that renders a component, whose feed has an address that means something only in a page.
import { open } from 'lastgood';
import { useDataset } from 'lastgood/react';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';

const feed = open('/data/');

function Performance() {
  const { data } = useDataset(feed, 'performance', { fallback: [] });
  return createElement('p', null, `${data.length} days`);
}

console.log(renderToString(createElement(Performance)));
