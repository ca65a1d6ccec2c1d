import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServers } from '@seedfleet/fleet';
import { torrentOf } from '@seedfleet/interop';
import { Child } from '../machine/child.js';
import { machineText } from '../machine/machine-text.js';
import { cpuSeconds } from '../machine/process-usage.js';
import { aim, median, print } from '../measure.js';
import { makeTorrents } from '../sale/content.js';
import { receiveBare, type BareRun } from './bare.js';
import { startLeecher, type LeecherRun } from './leecher-run.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const AIM_MB_PER_S = 400;
const START_MS = 120_000;
const SELLER = new URL('./bench-seller.js', import.meta.url);

interface Setting {
  readonly folder: string;
  readonly rpcUrl: string;
  readonly contentPath: string;
  readonly torrentFile: string;
  readonly pieceLength: number;
  /** Where processor profiles of the leecher go. */
  readonly profileDir: string | undefined;
}

/** One turn: the leecher, and beside it what the machine can do at all just now. */
interface Turn {
  readonly paid: LeecherRun;
  /** Processor seconds of all sellers together. */
  readonly sellersCpu: number;
  readonly wire: BareRun;
  readonly stored: BareRun;
}

/** Downloads and streams with the leecher's own program from sellers in processes of their own. */
export async function leecher(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      content: { type: 'string', default: '512' },
      rounds: { type: 'string', default: '3' },
      profile: { type: 'string' },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-bench-leecher-'));
  const servers = await startServers({
    stateDir: join(folder, 'servers'),
    onEvent: () => undefined,
    conversation: { allow: () => Promise.resolve(true), say: () => undefined },
  });
  try {
    print(machineText());
    const contentBytes = Number(values.content) * MIB;
    const [{ contentPath } = { contentPath: '' }] = await makeTorrents(folder, contentBytes, [MIB]);
    const { rpcUrl } = servers.connections.bitcoin;
    const setting = { folder, rpcUrl, contentPath, pieceLength: MIB, profileDir: values.profile };
    const torrentFile = join(folder, 'leecher.torrent');
    writeFileSync(torrentFile, torrentOf('content.bin', readFileSync(contentPath), MIB).file);
    let reached = true;
    for (const sellers of [1, 4]) {
      const turns: Turn[] = [];
      for (let round = 0; round < Number(values.rounds); round += 1) {
        turns.push(await turn({ ...setting, torrentFile }, sellers, contentBytes));
      }
      reached = report(sellers, turns) && reached;
    }
    await streamOnce({ ...setting, torrentFile });
    return reached;
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(sellers: number, turns: readonly Turn[]): boolean {
  const of = (value: (turn: Turn) => number): number => median(turns.map(value));
  const bytes = ({ paid }: Turn): number => paid.pieces * MIB;
  const speed = of((one) => bytes(one) / one.paid.seconds / 1e6);
  const reached = aim(
    `${sellers} seller(s), pieces of 1 MiB`,
    `${speed.toFixed(0)} MB/s`,
    speed >= AIM_MB_PER_S,
    '≥ 400 MB/s',
  );
  const memory = Math.max(...turns.map(({ paid }) => paid.peakMemoryBytes)) / MIB;
  const cpu = of((one) => one.paid.cpuSeconds / (bytes(one) / GIB)).toFixed(2);
  const sellersCpu = of((one) => one.sellersCpu / (bytes(one) / GIB)).toFixed(2);
  print(`  CPU s/GiB: ${cpu} of the leecher, ${sellersCpu} of the sellers; peak ${memory.toFixed(0)} MiB`);
  print(`  the same bytes without protocol and payment: ${bareText(turns.map(({ wire }) => wire))} received`);
  print(`  … ${bareText(turns.map(({ stored }) => stored))} received, hashed and written`);
  return reached;
}

function bareText(runs: readonly BareRun[]): string {
  const speed = median(runs.map(({ bytes, seconds }) => bytes / seconds / 1e6));
  const cpu = median(runs.map(({ bytes, cpuSeconds: used }) => used / (bytes / GIB)));
  return `${speed.toFixed(0)} MB/s, ${cpu.toFixed(2)} CPU s/GiB`;
}

async function turn(setting: Setting, sellers: number, totalBytes: number): Promise<Turn> {
  const bare = (stores: boolean): Promise<BareRun> =>
    receiveBare(setting.folder, setting.contentPath, { pieceBytes: MIB, totalBytes }, sellers, stores);
  const wire = await bare(false);
  const stored = await bare(true);
  return { ...(await downloadOnce(setting, sellers)), wire, stored };
}

async function downloadOnce(setting: Setting, sellers: number): Promise<Pick<Turn, 'paid' | 'sellersCpu'>> {
  return withSellers(setting, sellers, async (peers, sellersCpu) => {
    const out = mkdtempSync(join(setting.folder, 'out-'));
    const words = ['download', setting.torrentFile, '--out', out, '--sellers', `${sellers}`, ...common(setting, peers)];
    try {
      const before = sellersCpu();
      const paid = await startLeecher(words, setting.folder, setting.profileDir).done;
      return { paid, sellersCpu: sellersCpu() - before };
    } finally {
      rmSync(out, { recursive: true });
    }
  });
}

/** Time to the first byte at the start, and after a jump to nine tenths while everything is still being bought. */
async function streamOnce(setting: Setting): Promise<void> {
  await withSellers(setting, 1, async (peers) => {
    const out = mkdtempSync(join(setting.folder, 'out-'));
    const words = ['stream', setting.torrentFile, '--out', out, '--listen', '127.0.0.1:0', ...common(setting, peers)];
    const streaming = startLeecher(words, setting.folder);
    const url = await streaming.url;
    const first = await firstByteMs(url, 0);
    const seek = await firstByteMs(url, Math.floor(0.9 * readFileSync(setting.contentPath).length));
    print(
      `streaming: first byte after ${first.toFixed(0)} ms, join and contract included; after a seek ${seek.toFixed(0)} ms`,
    );
    await streaming.done;
    streaming.interrupt();
  });
}

async function firstByteMs(url: string, from: number): Promise<number> {
  const startedMs = performance.now();
  const answer = await fetch(url, { headers: { range: `bytes=${from}-${from + 65_535}` } });
  const reader = answer.body?.getReader();
  await reader?.read();
  const tookMs = performance.now() - startedMs;
  await reader?.cancel();
  return tookMs;
}

function common({ folder, rpcUrl }: Setting, peers: readonly string[]): string[] {
  const wallet = ['--wallet', join(folder, 'wallet'), '--rpc', rpcUrl];
  return [...wallet, '--no-search', '--max-price', '10', ...peers.flatMap((peer) => ['--peer', peer])];
}

async function withSellers<T>(
  setting: Setting,
  count: number,
  work: (peers: readonly string[], sellersCpu: () => number) => Promise<T>,
): Promise<T> {
  const sellers = Array.from(
    { length: count },
    (_, index) =>
      new Child<never, { address: string }>(SELLER, [
        setting.contentPath,
        `${setting.pieceLength}`,
        `127.0.0.${index + 1}`,
      ]),
  );
  try {
    const addresses = await Promise.all(sellers.map((seller) => seller.next(START_MS)));
    const sellersCpu = (): number => sellers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
    return await work(
      addresses.map(({ address }) => address),
      sellersCpu,
    );
  } finally {
    await Promise.all(sellers.map((seller) => seller.end()));
  }
}
