import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mine, startFleet, type RunningFleet } from '@seedfleet/fleet';
import pg from 'pg';
import { Child } from '../machine/child.js';
import { cpuSeconds } from '../machine/process-usage.js';
import { machineText } from '../machine/machine-text.js';
import { median, print } from '../measure.js';
import { makeTorrents, type BenchTorrent } from '../sale/content.js';
import { fundChannels } from '../sale/funding.js';
import { putOnSale } from '../sale/market.js';
import { batchCounts } from '../sale/node-metrics.js';
import type { SinkOrder, SinkReport } from '../sale/sink-orders.js';
import { runTransfer, type Transfer } from '../sale/transfer.js';
import { FLEET_USAGE, fleetOptions, type FleetBenchOptions } from './options.js';
import { printCosts, printModel } from './report.js';
import { perPart, ratesBetween, usageOf, type PerPart, type Rates, type Usage } from './shared-parts.js';

const MB = 1e6;
const IDLE_MS = 10_000;
const SETTLE_DOWN_MS = 3_000;
const SPREAD_MS = 120_000;
const BURIED_MS = 120_000;
/** Blocks come faster than the services look, so that burial is not what is waited for. */
const BLOCK_MS = 1_000;
/** States in which nothing is left to be done. */
const ENDED = `('buried', 'returned', 'nothing-owed', 'join-expired', 'refused', 'lost')`;
/** More than kMin of every torrent of the benchmark, so that each sale is settled. */
const PIECES_PER_SALE = 20;

interface Bench {
  readonly options: FleetBenchOptions;
  readonly fleet: RunningFleet;
  readonly torrent: BenchTorrent;
  readonly sinks: Child<SinkOrder, SinkReport>[];
  readonly database: pg.Client;
}

/**
 * A fleet on this machine that grows while it sells: what it sells in all, what a payment and a whole sale cost each part
 * that the nodes share, and from that the size of fleet at which one of them has a core busy. Prints; no aim fails.
 */
export const fleet = async (args: readonly string[]): Promise<boolean> => {
  const options = fleetOptions(args);
  if (options === undefined) {
    print(FLEET_USAGE);
    return false;
  }
  print(machineText());
  print('making content and starting a fleet…');
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-bench-'));
  try {
    const [torrent] = await makeTorrents(folder, options.contentBytes, [options.pieceBytes]);
    if (torrent === undefined) throw new Error('no torrent was made');
    const running = await startFleet({ stateDir: join(folder, 'fleet'), env: {}, mine: false, logLevel: 'warn' });
    const database = new pg.Client({ connectionString: running.run.postgres });
    const sinks: Child<SinkOrder, SinkReport>[] = [];
    try {
      await database.connect();
      await measure({ options, fleet: running, torrent, sinks, database });
    } finally {
      await Promise.all(sinks.map((sink) => sink.end()));
      await database.end();
      await running.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
};

async function measure(bench: Bench): Promise<void> {
  const { options, torrent } = bench;
  await putOnSale(bench.fleet, [torrent]);
  print(
    `${options.connections} buyers of each node, ${options.transferBytes / 1024 ** 2} MiB each in pieces of ` +
      `${options.pieceBytes / 1024} KiB, median of ${options.rounds}; buyers, nodes and servers share the machine\n`,
  );
  print('nodes   paid MB/s   payments/s   node CPU s/GiB   shared CPU s/GiB');
  const idles = new Map<number, Rates>();
  let perPayment: PerPart | undefined;
  let nodePerByte = Number.NaN;
  for (const nodes of options.nodes) {
    await grow(bench, nodes);
    const idleNow = await idleRates(bench);
    idles.set(nodes, idleNow);
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) rounds.push(await sellAtOnce(bench, nodes));
    const middle = (figure: (round: Round) => number): number => median(rounds.map(figure));
    const gib = (round: Round): number => round.bytes / 1024 ** 3;
    print(
      [
        String(nodes).padStart(5),
        String(Math.round(middle(({ bytes, seconds }) => bytes / MB / seconds))).padStart(11),
        String(Math.round(middle(({ payments, seconds }) => payments / seconds))).padStart(12),
        middle((round) => round.nodeCpu / gib(round))
          .toFixed(2)
          .padStart(16),
        middle((round) => sum(round.cpu) / gib(round))
          .toFixed(2)
          .padStart(18),
      ].join(' '),
    );
    // Of the first size: with several nodes the transfers begin and end at somewhat different times.
    const all = (figure: (round: Round) => number): number => rounds.reduce((total, round) => total + figure(round), 0);
    perPayment ??= perPart((part) => {
      const busy = all(({ cpu, wallSeconds }) => cpu[part] - idleNow.cpu[part] * wallSeconds);
      return Math.max(0, busy) / all(({ payments }) => payments);
    });
    if (Number.isNaN(nodePerByte)) nodePerByte = middle(({ nodeCpu, bytes }) => nodeCpu / bytes);
  }
  if (perPayment === undefined) return;
  const sizes = [...idles.keys()];
  const [few, many] = [sizes[0] ?? 1, sizes.at(-1) ?? 1];
  const slope = (at: (rates: Rates) => number): number => {
    const [low, high] = [idles.get(few), idles.get(many)];
    return low === undefined || high === undefined || many === few
      ? 0
      : Math.max(0, (at(high) - at(low)) / (many - few));
  };
  const idlePerNode = perPart((part) => slope(({ cpu }) => cpu[part]));
  const now = idles.get(many);
  if (now === undefined) return;
  const idle = perPart((part) => Math.max(0, now.cpu[part] - many * idlePerNode[part]));
  const whole = await wholeSales(bench, now, perPayment);
  const pieceSat = await priceOf(bench);
  const costs = { perPayment, perSale: whole.perSale, idle, idlePerNode, pieceSat, nodePerByte };
  print(
    `\n${whole.sales} sales of ${PIECES_PER_SALE} pieces from join to burial: ` +
      `${whole.messagesPerSale.toFixed(0)} messages at the broker per sale (taken and given, idle traffic not counted), ` +
      `of them ${whole.batchMessagesPerSale.toFixed(1)} batches of payments; idle ` +
      `${now.messages.toFixed(0)} messages/s with ${many} nodes, ${slope(({ messages }) => messages).toFixed(1)} more with each\n`,
  );
  printCosts(costs);
  printModel(costs, {
    nodeBytesPerSecond: options.nodeBitsPerSecond / 8,
    saleBytes: options.saleBytes,
    pieceBytes: options.pieceBytes,
    pieceSat: (options.satPerMb * options.pieceBytes) / MB,
  });
}

/** More nodes, each with the torrent. */
async function grow({ fleet, torrent, sinks }: Bench, nodes: number): Promise<void> {
  const running = (): string[] =>
    fleet.supervisor
      .summary()
      .map(({ name }) => name)
      .filter((name) => name.startsWith('node-'));
  while (running().length < nodes) await fleet.addNode();
  while (sinks.length < nodes) sinks.push(new Child(new URL('../sale/sink.js', import.meta.url)));
  const authorization = `Bearer ${readFileSync(fleet.run.marketApi.keyFile, 'utf8').trim()}`;
  const path = `${fleet.run.marketApi.url}/v1/torrents/${torrent.metainfo.infoHash}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const told = await fetch(`${path}/replicas`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ replicas: nodes }),
  });
  if (!told.ok) throw new Error(`replicas: ${await told.text()}`);
  const deadline = performance.now() + SPREAD_MS;
  for (;;) {
    const answer = (await (await fetch(path, { headers })).json()) as {
      nodes: { state: string; nodeAlive: boolean }[];
    };
    const selling = answer.nodes.filter(({ state, nodeAlive }) => nodeAlive && state === 'on-sale');
    if (selling.length >= nodes) return;
    if (performance.now() > deadline) throw new Error(`${selling.length} of ${nodes} nodes sell the torrent`);
    await sleep(200);
  }
}

interface Round {
  readonly bytes: number;
  readonly seconds: number;
  readonly payments: number;
  /** For which `cpu` was counted: somewhat longer. */
  readonly wallSeconds: number;
  readonly cpu: PerPart;
  readonly nodeCpu: number;
}

/** Every node sells at the same time: none begins before the last is ready. */
async function sellAtOnce({ options, fleet, torrent, sinks }: Bench, nodes: number): Promise<Round> {
  let waiting = nodes;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const usages: Usage[] = [];
  const transfers = await Promise.all(
    sinks.slice(0, nodes).map((sink, index): Promise<Transfer> => {
      const id = `node-${index + 1}`;
      return runTransfer(sink, {
        mode: 'paid',
        torrent,
        connections: options.connections,
        transferBytes: options.transferBytes,
        seller: sellerOf(fleet, id),
        ready: async () => {
          waiting -= 1;
          if (waiting === 0) {
            // What opening and funding leave to be done is none of the payments' cost.
            await sleep(SETTLE_DOWN_MS);
            usages.push(await usageOf(fleet));
            begin();
          }
          await begun;
        },
        paid: {
          fund: (joined, payments) => fundChannels(fleet.run.bitcoin.rpcUrl, joined, payments),
          batches: () => batchCounts(fleet, id),
          pathCpuSeconds: () => cpuSeconds(process.pid),
        },
      });
    }),
  );
  // What is acknowledged is still to be committed.
  await sleep(500);
  usages.push(await usageOf(fleet));
  const [before, after] = usages;
  if (before === undefined || after === undefined) throw new Error('nothing was measured');
  return {
    bytes: transfers.reduce((all, { bytes }) => all + bytes, 0),
    seconds: Math.max(...transfers.map(({ seconds }) => seconds)),
    payments: transfers.reduce((all, { payments }) => all + payments, 0),
    wallSeconds: (after.atMs - before.atMs) / 1_000,
    cpu: perPart((part) => after.cpu[part] - before.cpu[part]),
    nodeCpu: after.nodesCpu - before.nodesCpu,
  };
}

function sellerOf(fleet: RunningFleet, id: string): { pid: number; host: string; port: number } {
  const ready = JSON.parse(readFileSync(fleet.state.file('services', `${id}.ready.json`), 'utf8')) as {
    pid: number;
    peerAddress: string;
  };
  const [host = '', port = ''] = ready.peerAddress.split(':');
  return { pid: ready.pid, host, port: Number(port) };
}

async function idleRates({ fleet }: Bench): Promise<Rates> {
  const before = await usageOf(fleet);
  await sleep(IDLE_MS);
  return ratesBetween(before, await usageOf(fleet));
}

interface WholeSales {
  readonly sales: number;
  readonly perSale: PerPart;
  readonly messagesPerSale: number;
  readonly batchMessagesPerSale: number;
}

/** Sales from the first message of a buyer to the burial of the settlement; what idling and payments cost is taken off. */
async function wholeSales(
  { options, fleet, torrent, sinks, database }: Bench,
  idle: Rates,
  perPayment: PerPart,
): Promise<WholeSales> {
  const [sink] = sinks;
  if (sink === undefined) throw new Error('there is no buyer');
  // Those of the transfers before are not to be counted.
  await buryAll(fleet, database);
  const known = await countBuried(database);
  const batchesBefore = await batchCounts(fleet, 'node-1');
  const before = await usageOf(fleet);
  const { payments } = await runTransfer(sink, {
    mode: 'paid',
    torrent,
    connections: options.sales,
    transferBytes: options.sales * PIECES_PER_SALE * options.pieceBytes,
    seller: sellerOf(fleet, 'node-1'),
    paid: {
      fund: (joined, count) => fundChannels(fleet.run.bitcoin.rpcUrl, joined, count),
      batches: () => batchCounts(fleet, 'node-1'),
      pathCpuSeconds: () => 0,
    },
  });
  await buryAll(fleet, database);
  const after = await usageOf(fleet);
  const batches = (await batchCounts(fleet, 'node-1')).batches - batchesBefore.batches;
  const { sales } = options;
  const buried = (await countBuried(database)) - known;
  if (buried !== sales) throw new Error(`${buried} of ${sales} sales were settled and buried`);
  const { seconds, cpu, messages } = ratesBetween(before, after);
  const paid = payments + sales;
  return {
    sales,
    perSale: perPart((part) => Math.max(0, ((cpu[part] - idle.cpu[part]) * seconds - paid * perPayment[part]) / sales)),
    messagesPerSale: ((messages - idle.messages) * seconds) / sales,
    batchMessagesPerSale: batches / sales,
  };
}

/** Of a piece, satoshi: what the sales here were made for. */
async function priceOf({ database }: Bench): Promise<number> {
  const { rows } = await database.query<{ price: number }>(
    `SELECT max("priceSat")::int AS price FROM "channel"."channel" WHERE "state" = 'buried'`,
  );
  return rows[0]?.price ?? Number.NaN;
}

/** Mines until every channel is at its end. */
async function buryAll(fleet: RunningFleet, database: pg.Client): Promise<void> {
  const deadline = performance.now() + BURIED_MS;
  while ((await countOpen(database)) > 0) {
    if (performance.now() > deadline) throw new Error('not every channel came to its end in time');
    await mine(fleet.run.bitcoin.rpcUrl, 1);
    await sleep(BLOCK_MS);
  }
}

async function countBuried(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM "channel"."channel" WHERE "state" = 'buried'`,
  );
  return rows[0]?.count ?? 0;
}

async function countOpen(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM "channel"."channel" WHERE "state" NOT IN ${ENDED}`,
  );
  return rows[0]?.count ?? 0;
}

const sum = (figures: PerPart): number => Object.values(figures).reduce((all, one) => all + one, 0);
