import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet, type RunningFleet } from '@seedfleet/fleet';
import { Child } from '../machine/child.js';
import { treeCpuSeconds } from '../machine/process-usage.js';
import { machineText } from '../machine/machine-text.js';
import { median, print } from '../measure.js';
import { makeTorrents, type BenchTorrent } from './content.js';
import { fundChannels } from './funding.js';
import { startLibtorrent, type LibtorrentSeeder } from './libtorrent.js';
import { putOnSale } from './market.js';
import { batchCounts } from './node-metrics.js';
import { SALE_USAGE, saleOptions, type SaleOptions } from './options.js';
import type { SinkOrder, SinkReport } from './sink-orders.js';
import { runTransfer, type PaidSide, type Transfer, type TransferOrder } from './transfer.js';

const GIB = 1024 ** 3;
const MB = 1e6;
const PORT_MS = 20_000;
const NODE = 'node-1';
/** What a payment passes through besides the node. */
const PAYMENT_PATH = ['nats', 'channel-intake', 'postgres'];

interface Bench {
  readonly options: SaleOptions;
  readonly fleet: RunningFleet;
  readonly node: TransferOrder['seller'];
  readonly free: TransferOrder['seller'];
  readonly libtorrent: LibtorrentSeeder | undefined;
  readonly sink: Child<SinkOrder, SinkReport>;
}

/**
 * Paid download from a real node of a real fleet (NATS with fsync on every write, the real channel-service) beside the
 * free transfer of the same bytes and libtorrent's seeding, all on loopback and in turn. Nothing here is an aim that
 * fails: it prints.
 */
export const sale = async (args: readonly string[]): Promise<boolean> => {
  const options = saleOptions(args);
  if (options === undefined) {
    print(SALE_USAGE);
    return false;
  }
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'seedfleet-bench-'));
  mkdirSync(folder, { recursive: true });
  try {
    await measure(options, folder);
  } finally {
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
  return true;
};

async function measure(options: SaleOptions, folder: string): Promise<void> {
  print(machineText());
  print('making content and starting a fleet…');
  const torrents = await makeTorrents(folder, options.contentBytes, options.pieceLengths);
  const offered = torrents.map(({ torrentFile, contentPath }) => ({ torrentFile, contentPath }));
  const program = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
  const freeSeller = new Child<never, { port: number }>(program('free-seller'), [JSON.stringify(offered)]);
  const sink = new Child<SinkOrder, SinkReport>(program('sink'));
  const libtorrent = await startLibtorrent(torrents);
  // Blocks are mined by the benchmark, so that nothing else happens while it measures.
  const starting = startFleet({ stateDir: join(folder, 'fleet'), env: {}, mine: false, logLevel: 'warn' });
  try {
    const { port } = await freeSeller.next(PORT_MS);
    const fleet = await starting;
    await putOnSale(fleet, torrents);
    const bench: Bench = {
      options,
      fleet,
      node: { pid: pidOf(fleet, NODE), port: Number(fleet.run.nodes[0]?.peerAddress.split(':').at(-1)) },
      free: { pid: freeSeller.pid, port },
      libtorrent,
      sink,
    };
    await table(bench, torrents);
  } finally {
    libtorrent?.end();
    await Promise.all([sink.end(), freeSeller.end()]);
    await starting.then(
      (fleet) => fleet.stop(),
      () => undefined,
    );
  }
}

async function table(bench: Bench, torrents: readonly BenchTorrent[]): Promise<void> {
  const { options, libtorrent } = bench;
  print(
    `${options.transferBytes / 1024 ** 2} MiB per transfer, median of ${options.rounds}; ` +
      `libtorrent ${libtorrent?.version ?? 'not installed'}\n`,
  );
  const heads = [
    'connections',
    'piece',
    'paid MB/s',
    'free MB/s',
    'ratio',
    'libtorrent MB/s',
    'payments/s',
    'ack ms',
    'per batch',
  ];
  print(row([...heads, 'CPU s/GiB paid', 'free', 'libt.', 'pay path', 'peak MiB paid', 'free']));
  for (const torrent of torrents)
    for (const connections of options.connections) await line(bench, torrent, connections);
  print('\nencrypted transfer (RC4 at both ends), paid:');
  print(row(['connections', 'piece', 'paid MB/s', 'plain', 'ratio', 'CPU s/GiB node']));
  for (const torrent of torrents)
    for (const connections of options.connections) await encryptedLine(bench, torrent, connections);
}

/** One line of the second table: paid transfers, encrypted and in plaintext, in turn. */
async function encryptedLine(bench: Bench, torrent: BenchTorrent, connections: number): Promise<void> {
  const { options, sink, node } = bench;
  const order = { torrent, connections, transferBytes: options.transferBytes, mode: 'paid' as const, seller: node };
  const runs = { encrypted: [] as Transfer[], plain: [] as Transfer[] };
  for (let round = 0; round < options.rounds; round += 1) {
    runs.encrypted.push(await runTransfer(sink, { ...order, encrypted: true, paid: paidSide(bench) }));
    runs.plain.push(await runTransfer(sink, { ...order, paid: paidSide(bench) }));
  }
  print(
    row([
      String(connections),
      `${torrent.metainfo.pieceLengthBytes / 1024} KiB`,
      whole(speed(runs.encrypted)),
      whole(speed(runs.plain)),
      (speed(runs.encrypted) / speed(runs.plain)).toFixed(2),
      cpu(runs.encrypted).toFixed(2),
    ]),
  );
}

function paidSide({ fleet }: Bench): PaidSide {
  return {
    fund: (joined, payments) => fundChannels(fleet.run.bitcoin.rpcUrl, joined, payments),
    batches: () => batchCounts(fleet, NODE),
    pathCpuSeconds: () => pathCpuSeconds(fleet),
  };
}

function speed(runs: readonly Transfer[]): number {
  return median(runs.map(({ bytes, seconds }) => bytes / MB / seconds));
}

function cpu(runs: readonly Transfer[]): number {
  return median(runs.map(({ bytes, cpuSeconds }) => (cpuSeconds * GIB) / bytes));
}

/** One line: transfers of each kind in turn, so that whatever else the machine does hits all alike. */
async function line(bench: Bench, torrent: BenchTorrent, connections: number): Promise<void> {
  const { options, sink, node, free, libtorrent } = bench;
  const common = { torrent, connections, transferBytes: options.transferBytes };
  const paidRuns: Transfer[] = [];
  const freeRuns: Transfer[] = [];
  const libtorrentRuns: Transfer[] = [];
  const paid = paidSide(bench);
  for (let round = 0; round < options.rounds; round += 1) {
    paidRuns.push(await runTransfer(sink, { ...common, mode: 'paid', seller: node, paid }));
    freeRuns.push(await runTransfer(sink, { ...common, mode: 'free', seller: free }));
    if (libtorrent !== undefined) {
      libtorrentRuns.push(await runTransfer(sink, { ...common, mode: 'standard', seller: libtorrent }));
    }
  }
  const memory = (runs: readonly Transfer[]): number =>
    Math.max(...runs.map(({ peakMemoryBytes }) => peakMemoryBytes / 1024 ** 2));
  const storing = (figure: (of: NonNullable<Transfer['storing']>, bytes: number) => number): number =>
    median(paidRuns.map(({ storing: of, bytes }) => (of === undefined ? Number.NaN : figure(of, bytes))));
  print(
    row([
      String(connections),
      `${torrent.metainfo.pieceLengthBytes / 1024} KiB`,
      whole(speed(paidRuns)),
      whole(speed(freeRuns)),
      (speed(paidRuns) / speed(freeRuns)).toFixed(2),
      whole(speed(libtorrentRuns)),
      whole(median(paidRuns.map(({ payments, seconds }) => payments / seconds))),
      storing(({ acknowledgedMs }) => acknowledgedMs).toFixed(1),
      storing(({ entriesPerBatch }) => entriesPerBatch).toFixed(1),
      cpu(paidRuns).toFixed(2),
      cpu(freeRuns).toFixed(2),
      cpu(libtorrentRuns).toFixed(2),
      storing(({ pathCpuSeconds: seconds }, bytes) => (seconds * GIB) / bytes).toFixed(2),
      whole(memory(paidRuns)),
      whole(memory(freeRuns)),
    ]),
  );
}

function pathCpuSeconds(fleet: RunningFleet): number {
  return PAYMENT_PATH.reduce((sum, name) => sum + treeCpuSeconds(pidOf(fleet, name)), 0);
}

function pidOf({ run }: RunningFleet, name: string): number {
  const found = run.processes.find((process) => process.name === name);
  if (found?.pid === undefined) throw new Error(`no process ${name} in this fleet`);
  return found.pid;
}

function whole(value: number): string {
  return Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en-US');
}

function row(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padStart(WIDTHS[column] ?? 10)).join(' ');
}

const WIDTHS = [11, 8, 9, 9, 5, 15, 10, 6, 9, 14, 5, 5, 8, 13, 5];
