import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet, type RunningFleet } from '@seedfleet/fleet';
import { Child } from '../machine/child.js';
import { machineText } from '../machine/machine-text.js';
import { aim, print } from '../measure.js';
import { makeTorrents, type BenchTorrent } from '../sale/content.js';
import { putOnSale } from '../sale/market.js';
import type { SinkOrder, SinkReport } from '../sale/sink-orders.js';
import { busySales } from './busy-sales.js';
import type { PeersOrder, PeersReport } from './idle-peers.js';
import { putManyOnSale } from './many-torrents.js';
import { collectedFigures, watchedEnv } from './node-figures.js';
import { SWARM_USAGE, swarmOptions, type Part, type SwarmOptions } from './options.js';
import { warmStart } from './warm-start.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const NODE = 'node-1';
const PIECE_BYTES = 256 * KIB;
const CONTENT_BYTES = 128 * MIB;
const STEP_MS = 120_000;
const PARALLEL_ACCEPTS = 64;

export interface SwarmBench {
  readonly options: SwarmOptions;
  readonly fleet: RunningFleet;
  readonly film: BenchTorrent;
  readonly port: number;
  /** Where the node writes how late its event loop was. */
  readonly loopFile: string;
  readonly peers: Child<PeersOrder, PeersReport>;
  readonly sink: Child<SinkOrder, SinkReport>;
}

/** Many connections and many torrents on one node. Prints each figure beside its aim; false when one is missed. */
export const swarm = async (args: readonly string[]): Promise<boolean> => {
  const options = swarmOptions(args);
  if (options === undefined) {
    print(SWARM_USAGE);
    return false;
  }
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'seedfleet-bench-'));
  mkdirSync(folder, { recursive: true });
  try {
    return await measure(options, folder);
  } finally {
    if (!options.keep) rmSync(folder, { recursive: true, force: true });
  }
};

async function measure(options: SwarmOptions, folder: string): Promise<boolean> {
  print(machineText());
  print('making content and starting a fleet…');
  const torrents = await makeTorrents(folder, CONTENT_BYTES, [PIECE_BYTES]);
  const film = torrents[0]!;
  const peers = new Child<PeersOrder, PeersReport>(new URL('./idle-peers.js', import.meta.url));
  const sink = new Child<SinkOrder, SinkReport>(new URL('../sale/sink.js', import.meta.url));
  const loopFile = join(folder, 'loop.json');
  const nodeEnv = { ...watchedEnv(loopFile), MAX_CONNECTIONS: '4000' };
  const starting = startFleet({
    stateDir: join(folder, 'fleet'),
    env: {},
    mine: false,
    logLevel: 'warn',
    serviceEnv: (name) => (name === NODE ? nodeEnv : {}),
  });
  try {
    const fleet = await starting;
    await putOnSale(fleet, torrents);
    const port = Number(fleet.run.nodes[0]?.peerAddress.split(':').at(-1));
    const bench: SwarmBench = { options, fleet, film, port, loopFile, peers, sink };
    print('');
    const measures: Record<Part, () => Promise<boolean>> = {
      idle: async () => [await idleConnections(bench, 'session'), await idleConnections(bench, 'plain')].every(Boolean),
      accepts: () => acceptRate(bench),
      sales: () => busySales(bench),
      torrents: () => idleTorrents(bench, folder),
      restart: () => warmStart(bench),
    };
    let reached = true;
    for (const part of options.parts) reached = (await measures[part]()) && reached;
    return reached;
  } finally {
    await Promise.all([sink.end(), peers.end()]);
    await starting.then(
      (fleet) => fleet.stop(),
      () => undefined,
    );
  }
}

async function expect<Type extends PeersReport['type']>(
  { peers }: SwarmBench,
  type: Type,
): Promise<Extract<PeersReport, { type: Type }>> {
  const report = await peers.next(STEP_MS);
  if (report.type === 'failed') throw new Error(report.why);
  if (report.type !== type) throw new Error(`the peers report "${report.type}" where "${type}" was expected`);
  return report as Extract<PeersReport, { type: Type }>;
}

/** Opens connections that stay; the returned function lets them go. */
export async function stayConnected(
  bench: SwarmBench,
  kind: 'session' | 'plain',
  count: number,
): Promise<() => Promise<void>> {
  const { peers, port, film } = bench;
  peers.tell({ type: 'stay', port, infoHash: film.metainfo.infoHash, kind, count });
  await expect(bench, 'staying');
  return async () => {
    peers.tell({ type: 'leave' });
    await expect(bench, 'left');
  };
}

async function idleConnections(bench: SwarmBench, kind: 'session' | 'plain'): Promise<boolean> {
  const { fleet, options } = bench;
  // Once before, so that code and caches are warm.
  await (
    await stayConnected(bench, kind, 100)
  )();
  const before = await collectedFigures(fleet, NODE);
  const leave = await stayConnected(bench, kind, options.connections);
  const after = await collectedFigures(fleet, NODE);
  await leave();
  const held = (after.heldBytes - before.heldBytes) / options.connections / KIB;
  const resident = (after.residentBytes - before.residentBytes) / options.connections / KIB;
  const what = kind === 'session' ? 'idle buyer, heap and buffers' : 'idle ordinary client, heap and buffers';
  print(`  (${options.connections} connections; resident memory rose by ${resident.toFixed(1)} KiB each)`);
  return aim(what, `${held.toFixed(1)} KiB`, held <= 24, '≤ 24 KiB');
}

async function acceptRate(bench: SwarmBench): Promise<boolean> {
  const { peers, port, film, options, fleet } = bench;
  peers.tell({
    type: 'come-and-go',
    port,
    infoHash: film.metainfo.infoHash,
    count: options.accepts,
    parallel: PARALLEL_ACCEPTS,
  });
  const { seconds, answered } = await expect(bench, 'gone');
  const node = await collectedFigures(fleet, NODE);
  print(
    `accepted with handshake                      ${String(Math.round(answered / seconds)).padStart(14)}/s   ` +
      `${answered} of ${options.accepts}, ${PARALLEL_ACCEPTS} at a time; ${(node.residentBytes / MIB).toFixed(0)} MiB resident`,
  );
  return true;
}

async function idleTorrents({ fleet, options }: SwarmBench, folder: string): Promise<boolean> {
  const before = await collectedFigures(fleet, NODE);
  const startedMs = performance.now();
  await putManyOnSale(fleet, folder, options.torrents, options.pieces);
  const seconds = (performance.now() - startedMs) / 1000;
  const after = await collectedFigures(fleet, NODE);
  const held = (after.heldBytes - before.heldBytes) / options.torrents / KIB;
  print(
    `  (${options.torrents} torrents of ${options.pieces} pieces added and verified in ${seconds.toFixed(0)} s; ` +
      `the node held ${(before.heldBytes / MIB).toFixed(1)} MiB before)`,
  );
  return aim('idle torrent, heap and buffers', `${held.toFixed(1)} KiB`, held <= 5, '≤ 5 KiB');
}
