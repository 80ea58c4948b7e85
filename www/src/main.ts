/** The page: opens the feed, sets up both datasets, and keeps them current for as long as somebody can see them. */

import 'uplot/dist/uPlot.min.css';
import './styles/page.css';
import './styles/panel.css';
import './styles/chart.css';
import './styles/table.css';

import type { Feed } from 'lastgood';
import { LastgoodError, open } from 'lastgood';

import { WeatherChart } from './chart';
import type { DatasetOptions } from './dataset';
import { Dataset } from './dataset';
import { find } from './dom';
import { OverviewView } from './overview';
import { PerformanceView } from './performance';
import { parseFlights, parseWeather } from './shapes';
import type { Failure } from './state';
import { bindTheme } from './theme';
import { TransactionsView } from './transactions';

const TICK_MS = 1_000;
/** A demonstration should show soon what is published. */
const INTERVAL_MS = 3_000;

const address = new URLSearchParams(location.search).get('feed') ?? 'data/';
let feed: Feed | null = null;
let starting: Promise<void> | null = null;
const chart = new WeatherChart(find(document, '#chart', HTMLElement));
const overview = new OverviewView(document, () => void retry());
const datasets = {
  performance: dataset('performance', 'Performance', (section) => ({
    parse: parseWeather,
    view: new PerformanceView(section, chart),
  })),
  transactions: dataset('transactions', 'Transactions', (section) => ({
    parse: parseFlights,
    view: new TransactionsView(section),
  })),
};

bindTheme(find(document, '#theme', HTMLButtonElement), () => chart.recolour());
setInterval(() => {
  if (!document.hidden) for (const each of Object.values(datasets)) each.tick();
}, TICK_MS);
void retry();

function dataset<T>(
  name: string,
  title: string,
  parts: (section: HTMLElement) => Pick<DatasetOptions<T>, 'parse' | 'view'>,
): Pick<Dataset<T>, 'state' | 'tick' | 'show' | 'fail'> {
  const section = find(document, `[data-dataset="${name}"]`, HTMLElement);
  const now = (): number => performance.now();
  return new Dataset<T>({ section, title, retry, now, onChange: showOverview, ...parts(section) });
}

/** Looks at the feed now; opens it, if that has not been done or has failed. */
function retry(): Promise<void> {
  if (feed !== null) return feed.refresh();
  starting ??= start().finally(() => (starting = null));
  return starting;
}

async function start(): Promise<void> {
  try {
    feed = await open(address, { intervalMs: INTERVAL_MS });
  } catch (error) {
    for (const each of Object.values(datasets)) each.fail(explainError(error));
    return;
  }
  for (const [name, each] of Object.entries(datasets)) {
    feed.watch(name, (reading) => each.show(reading), { onError: (error) => each.fail(explainError(error)) });
  }
}

function showOverview(): void {
  overview.show(
    Object.values(datasets).map(({ state }) => state),
    feed?.url ?? null,
  );
}

function explainError(error: unknown): Failure {
  if (error instanceof LastgoodError) return { code: error.code, detail: error.message };
  reportError(error);
  return { code: 'unknown', detail: String(error) };
}
