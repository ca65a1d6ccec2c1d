import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServers } from '@seedfleet/fleet';
import pg from 'pg';
import { machineText } from '../machine/machine-text.js';
import { cpuSeconds, treeCpuSeconds } from '../machine/process-usage.js';
import { print } from '../measure.js';
import { dashboard } from './dashboard.js';
import { makeData, sellWherePlaced, sizeAt } from './data.js';
import { quantile, underLoad } from './load.js';
import { LONE, measureLonePages } from './lone-pages.js';
import { MarketService } from './market-service.js';
import { MARKET_USAGE, marketOptions, type MarketOptions } from './options.js';
import { pages } from './pages.js';
import { priceNews } from './price-news.js';

const AIM_MS = 100;
const NEWS_AIM_MS = 1_000;
/** Requests that fill caches and plans before a page is measured. */
const WARM_SECONDS = 2;
const SAMPLE = 5_000;

/**
 * The market API with a large fleet's past behind it: its slowest pages and an offer change at a steady rate, with a tenth
 * of the data and with all, and how soon nodes hear of a price. True when every aim was reached.
 */
export const market = async (args: readonly string[]): Promise<boolean> => {
  const options = marketOptions(args);
  if (options === undefined) {
    print(MARKET_USAGE);
    return false;
  }
  print(machineText());
  const scales = options.tenth ? [options.scale / 10, options.scale] : [options.scale];
  let reached = true;
  for (const scale of scales) reached = (await atScale(scale, options)) && reached;
  return reached;
};

async function atScale(scale: number, options: MarketOptions): Promise<boolean> {
  const size = sizeAt(scale);
  const number = (value: number): string => value.toLocaleString('en-US');
  print(`\n${number(size.torrents)} torrents, ${number(size.channels)} channels`);
  const folder =
    options.keep === undefined
      ? mkdtempSync(join(tmpdir(), 'seedfleet-bench-'))
      : join(options.keep, `${size.torrents}-${size.channels}`);
  mkdirSync(folder, { recursive: true });
  const made = join(folder, 'made');
  try {
    const servers = await startServers({ stateDir: folder, env: {} });
    const database = new pg.Client({ connectionString: servers.connections.postgres.url });
    let service: MarketService | undefined;
    try {
      await database.connect();
      if (!existsSync(made)) {
        service = await MarketService.start(servers.connections, folder, await freePort());
        await service.stop();
        await makeData(database, size, print);
        writeFileSync(made, '');
      }
      if (options.make) return true;
      await database.query('UPDATE market.node SET "lastSeenAt" = now() + interval \'1 day\'');
      // Started anew, so that it finds the past as a service that was updated does.
      service = await MarketService.start(servers.connections, folder, await freePort(), options.profile);
      await ranked(database, size.torrents);
      await sellWherePlaced(database);
      const [postgres] = servers.supervisor.summary().filter(({ name }) => name === 'postgres');
      const cpu = (): Cpu => ({
        service: cpuSeconds(service?.pid ?? Number.NaN),
        postgres: treeCpuSeconds(postgres?.pid ?? Number.NaN),
        client: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
      });
      return await measure(service, servers.connections.nats.url, database, cpu, options);
    } finally {
      await service?.stop();
      await database.end();
      await servers.stop();
    }
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Processor seconds used so far. */
interface Cpu {
  readonly service: number;
  readonly postgres: number;
  readonly client: number;
}

async function measure(
  service: MarketService,
  natsUrl: string,
  database: pg.Client,
  cpu: () => Cpu,
  options: MarketOptions,
): Promise<boolean> {
  const { rows } = await database.query<{ infoHash: string }>(
    `SELECT "infoHash" FROM market.torrent ORDER BY md5("infoHash") LIMIT ${SAMPLE}`,
  );
  const infoHashes = rows.map(({ infoHash }) => infoHash);
  if (options.dashboard) return dashboard(service.api, await bestSeller(database));
  print(row(['page', 'asked/s', 'answered/s', 'failed', 'median ms', 'p99 ms', 'worst ms', ...CPU_OF]));
  let reached = true;
  for (const { name, ask } of pages(service.api, infoHashes)) {
    if (options.page !== undefined && !name.startsWith(options.page)) continue;
    await underLoad(ask, options.rate, WARM_SECONDS);
    const before = cpu();
    const { failures, perSecond, milliseconds } = await underLoad(ask, options.rate, options.seconds);
    const p99 = quantile(milliseconds, 0.99);
    reached &&= failures === 0 && p99 < AIM_MS;
    const times = [quantile(milliseconds, 0.5), p99, milliseconds.at(-1) ?? Number.NaN].map((ms) => ms.toFixed(1));
    const used = cpuPerRequest(before, cpu(), milliseconds.length);
    print(row([name, String(options.rate), perSecond.toFixed(0), String(failures), ...times, ...used]));
  }
  if (options.page !== undefined && options.page !== LONE) return reached;
  reached = (await measureLonePages(service.api, await bestSeller(database))) && reached;
  if (options.page !== undefined) return reached;
  const news = await priceNews(service.api, natsUrl, service.fleetId, options.nodes, infoHashes);
  const [median, last] = [quantile(news, 0.5), news.at(-1) ?? Number.NaN];
  print(`a price at the last of ${options.nodes} nodes: median ${median.toFixed(0)} ms, worst ${last.toFixed(0)} ms`);
  return reached && last < NEWS_AIM_MS;
}

async function bestSeller(database: pg.Client): Promise<string> {
  const { rows } = await database.query<{ key: string }>(
    `SELECT key FROM channel.book_rollup
     WHERE subject = 'torrent' AND period = 'all' AND measure = 'channels' ORDER BY amount DESC LIMIT 1`,
  );
  return rows[0]?.key ?? '';
}

/** Columns of processor milliseconds per request. */
const CPU_OF = ['API CPU ms', 'Postgres', 'client'];

function cpuPerRequest(before: Cpu, after: Cpu, requests: number): string[] {
  const parts = ['service', 'postgres', 'client'] as const;
  return parts.map((part) => (((after[part] - before[part]) * 1_000) / requests).toFixed(2));
}

/** Waits until the service has ranked the torrents. */
async function ranked(database: pg.Client, torrents: number): Promise<void> {
  const deadlineMs = performance.now() + 300_000;
  for (;;) {
    const { rows } = await database.query<{ ranked: number }>(
      'SELECT count(*)::int AS ranked FROM market.torrent_earning',
    );
    // The square leaves a few torrents without a sale.
    if ((rows[0]?.ranked ?? 0) > torrents / 2) break;
    if (performance.now() > deadlineMs) throw new Error('the torrents were not ranked');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await database.query('ANALYZE market.torrent_earning');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function row(cells: readonly string[]): string {
  return cells.map((cell, column) => (column === 0 ? cell.padEnd(20) : cell.padStart(11))).join(' ');
}
