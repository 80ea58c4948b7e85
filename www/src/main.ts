/** The page: opens the feed, sets up both datasets, and keeps them current for as long as somebody can see them. */

import 'uplot/dist/uPlot.min.css';
import './styles/page.css';
import './styles/panel.css';
import './styles/chart.css';
import './styles/table.css';

import { LastgoodError, open } from 'lastgood';

import { WeatherChart } from './chart';
import type { DatasetOptions } from './dataset';
import { Dataset } from './dataset';
import { find } from './dom';
import { LazyFeed } from './feed';
import { OverviewView } from './overview';
import { PerformanceView } from './performance';
import { realClock } from './poll';
import { parseFlights, parseWeather } from './shapes';
import type { Failure } from './state';
import { bindTheme } from './theme';
import { TransactionsView } from './transactions';

const TICK_MS = 1_000;

const address = new URLSearchParams(location.search).get('feed') ?? 'data/';
const feed = new LazyFeed(() => open(address));
const chart = new WeatherChart(find(document, '#chart', HTMLElement));
const overview = new OverviewView(document, () => wake());
const datasets = [
  dataset('performance', 'Performance', (section) => ({ parse: parseWeather, view: new PerformanceView(section, chart) })),
  dataset('transactions', 'Transactions', (section) => ({ parse: parseFlights, view: new TransactionsView(section) })),
];

bindTheme(find(document, '#theme', HTMLButtonElement), () => chart.recolour());
setInterval(() => {
  if (!document.hidden) for (const each of datasets) each.tick();
}, TICK_MS);
document.addEventListener('visibilitychange', () => (document.hidden ? pause() : wake()));
addEventListener('online', () => wake());
if (!document.hidden) wake();

function dataset<T>(
  name: string,
  title: string,
  parts: (section: HTMLElement) => Pick<DatasetOptions<T>, 'parse' | 'view'>,
): Pick<Dataset<T>, 'state' | 'poller' | 'tick'> {
  const section = find(document, `[data-dataset="${name}"]`, HTMLElement);
  return new Dataset<T>({
    section,
    title,
    read: () => feed.read(name),
    explainError,
    clock: realClock,
    onChange: showOverview,
    ...parts(section),
  });
}

function showOverview(): void {
  overview.show(
    datasets.map(({ state }) => state),
    feed.url,
  );
}

function wake(): void {
  for (const { poller } of datasets) poller.wake();
}

function pause(): void {
  for (const { poller } of datasets) poller.pause();
}

function explainError(error: unknown): Failure {
  if (error instanceof LastgoodError) return { code: error.code, detail: error.message };
  reportError(error);
  return { code: 'unknown', detail: String(error) };
}
