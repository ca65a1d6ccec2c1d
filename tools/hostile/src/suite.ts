import { BuyerLink, desktopTerms, until } from '@seedfleet/interop';
import { HOSTILE_BUYERS } from './buyers/all.js';
import { NotJudged, type Bound, type Gain, type HostileBuyer } from './hostile-buyer.js';
import { Ground } from './world/ground.js';
import { HonestBuyer, type Notice } from './world/honest-buyer.js';
import { NodeMeter } from './world/node-meter.js';
import { sourceAddress } from './world/sources.js';
import type { Target } from './world/target.js';

const MIB = 1024 * 1024;
/** An honest buyer may wait so long for a piece while others attack. Far above what is seen; a busy machine is slow. */
const HONEST_WAIT_MS = 5_000;
/** First of the subnets 127.N.0.0/24 that the buyers come from. */
const FIRST_SUBNET = 100;
const SHORT_SCALE = 0.1;

export interface SuiteOptions {
  /** The cheap half, with what is repeated a tenth as often. */
  readonly short: boolean;
  /** Only buyers whose name contains the text. */
  readonly only?: string;
  readonly print: (line: string) => void;
}

/** How one hostile buyer came out. */
export interface Verdict {
  readonly name: string;
  readonly skipped: boolean;
  readonly faults: readonly string[];
}

interface Costs {
  readonly pieces: number;
  /** What they would have cost; undefined where the node named no price. */
  readonly worthSat: bigint | undefined;
  readonly plainBytes: number;
  readonly cpuSeconds: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly refusals: ReadonlyMap<string, number>;
  readonly notice: Notice | undefined;
}

/** Runs the hostile buyers one after the other beside an honest one, and judges each by its bound. */
export async function runSuite(target: Target, options: SuiteOptions): Promise<readonly Verdict[]> {
  const { short, only = '', print } = options;
  const honest = target.money === undefined ? undefined : new HonestBuyer(target);
  const verdicts: Verdict[] = [];
  try {
    await honest?.start();
    const quiet = await quietCosts(target, honest);
    print(quietText(quiet));
    for (const [at, buyer] of HOSTILE_BUYERS.entries()) {
      if (!buyer.name.includes(only) || (short && !buyer.short)) continue;
      verdicts.push(await judge(target, buyer, at, honest, quiet, options));
    }
  } finally {
    honest?.stop();
  }
  return verdicts;
}

interface Quiet {
  readonly cpuPerSecond: number;
  readonly notice: Notice | undefined;
}

const QUIET_MS = 3_000;

/** What the node uses, and the honest buyer notices, while nobody attacks. */
async function quietCosts(target: Target, honest: HonestBuyer | undefined): Promise<Quiet> {
  const meter = target.metricsUrl === undefined ? undefined : await NodeMeter.start(target.metricsUrl);
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const used = await meter?.stop();
  return { cpuPerSecond: (used?.cpuSeconds ?? 0) / (QUIET_MS / 1000), notice: honest?.take() };
}

function quietText({ cpuPerSecond, notice }: Quiet): string {
  const node = `node ${(cpuPerSecond * 100).toFixed(0)} % of a core`;
  return notice === undefined
    ? 'no money was given: no honest buyer beside, and no buyer that needs a channel'
    : `quiet: ${node}; the honest buyer gets ${notice.pieces} pieces in ${QUIET_MS / 1000} s, slowest ${notice.slowestMs.toFixed(0)} ms`;
}

async function judge(
  target: Target,
  buyer: HostileBuyer,
  at: number,
  honest: HonestBuyer | undefined,
  quiet: Quiet,
  { short, print }: SuiteOptions,
): Promise<Verdict> {
  const { name, bound } = buyer;
  const why = reasonToSkip(target, buyer);
  if (why !== undefined) {
    print(`skipped  ${name}: ${why}`);
    return { name, skipped: true, faults: [] };
  }
  const ground = new Ground(target, FIRST_SUBNET + at, short ? SHORT_SCALE : 1);
  const meter = target.metricsUrl === undefined ? undefined : await NodeMeter.start(target.metricsUrl);
  const startedMs = performance.now();
  honest?.take();
  let gain: Gain = { note: '' };
  const faults: string[] = [];
  let notJudged: string | undefined;
  try {
    gain = await buyer.act(ground);
    await stillSells(target);
  } catch (thrown) {
    if (thrown instanceof NotJudged) notJudged = thrown.message;
    else faults.push(thrown instanceof Error ? thrown.message : String(thrown));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const used = await meter?.stop();
  const pieces = gain.unpaidPieces ?? ground.unpaidPieces;
  const { priceSat } = ground;
  const costs: Costs = {
    pieces,
    worthSat: priceSat === undefined ? undefined : priceSat * BigInt(pieces),
    plainBytes: ground.plainBytes,
    cpuSeconds: used === undefined ? undefined : Math.max(0, used.cpuSeconds - quiet.cpuPerSecond * seconds),
    memoryBytes: used?.memoryBytes,
    refusals: used?.refusals ?? new Map<string, number>(),
    notice: honest?.take(),
  };
  ground.leave();
  if (notJudged !== undefined) {
    print(`skipped  ${name}: ${notJudged}`);
    return { name, skipped: true, faults: [] };
  }
  faults.push(...(gain.faults ?? []), ...faultsOf(target, bound, gain, costs));
  print(line(target, buyer, gain, costs, seconds, faults));
  return { name, skipped: false, faults };
}

function reasonToSkip(target: Target, { needsMoney, needsLimits }: HostileBuyer): string | undefined {
  if (needsMoney && target.money === undefined) return 'it needs --rpc to fund a channel';
  if (needsLimits === true && !target.limitsHold) {
    return 'regtest spares loopback from limits per source; LIMIT_LOCAL_ADDRESSES=true and --local-limits judge it';
  }
  return undefined;
}

/** A newcomer from a clean address hears terms. */
async function stillSells(target: Target): Promise<void> {
  const host = 1 + Math.floor(Math.random() * 200);
  const link = new BuyerLink({
    address: target.address,
    torrent: target.torrent,
    terms: desktopTerms(1_000n),
    invites: false,
    ...sourceAddress(target, 201, host),
  });
  try {
    await until('an honest newcomer to hear terms', () => link.offers.length > 0, 10_000);
  } finally {
    link.link.destroy();
  }
}

function faultsOf(target: Target, bound: Bound, gain: Gain, costs: Costs): string[] {
  const faults: string[] = [];
  const pieces = bound.pieces(target);
  const testBytes = bound.testBytes ?? 0;
  if (costs.pieces > pieces) faults.push(`${costs.pieces} pieces for nothing, more than ${pieces}`);
  if (costs.plainBytes > 0) faults.push(`${costs.plainBytes} bytes by the standard protocol`);
  if ((gain.testBytes ?? 0) > testBytes) faults.push(`${gain.testBytes} test bytes, more than ${testBytes}`);
  if ((costs.cpuSeconds ?? 0) > bound.cpuSeconds) {
    faults.push(`${costs.cpuSeconds?.toFixed(1)} s of processor, more than ${bound.cpuSeconds}`);
  }
  if ((costs.memoryBytes ?? 0) > bound.memoryMib * MIB) {
    faults.push(`${mib(costs.memoryBytes ?? 0)} MiB more memory, more than ${bound.memoryMib}`);
  }
  if (costs.notice !== undefined && costs.notice.lost > 0) faults.push('the honest buyer was disconnected');
  if (costs.notice !== undefined && costs.notice.slowestMs > HONEST_WAIT_MS) {
    faults.push(`the honest buyer waited ${costs.notice.slowestMs.toFixed(0)} ms for a piece`);
  }
  return faults;
}

function line(
  target: Target,
  { name, bound }: HostileBuyer,
  gain: Gain,
  costs: Costs,
  seconds: number,
  faults: readonly string[],
): string {
  const { pieceLengthBytes } = target.torrent;
  const worth = costs.worthSat === undefined ? '' : `, ${costs.worthSat} sat`;
  const free = `${costs.pieces} pieces (${costs.pieces * pieceLengthBytes} bytes${worth}), ${costs.plainBytes} bytes besides`;
  const tests = gain.testBytes === undefined ? '' : `, ${gain.testBytes} test bytes`;
  const node =
    costs.cpuSeconds === undefined
      ? 'node not measured'
      : `node ${costs.cpuSeconds.toFixed(2)} CPU s, ${mib(costs.memoryBytes ?? 0)} MiB`;
  const beside =
    costs.notice === undefined
      ? ''
      : `; honest ${(costs.notice.pieces / seconds).toFixed(0)} pieces/s, slowest ${costs.notice.slowestMs.toFixed(0)} ms`;
  const head = faults.length === 0 ? 'held    ' : 'FAILED  ';
  const codes = [...costs.refusals].map(([code, count]) => `${code} ${count}`).join(', ');
  const counted = codes === '' ? '' : `\n           counted: ${codes}`;
  const detail = faults.map((fault) => `\n           ${fault}`).join('');
  return (
    `${head} ${name} (${seconds.toFixed(1)} s): ${gain.note}\n` +
    `           free: ${free}${tests}; ${node}${beside}\n           bound: ${bound.words}${counted}${detail}`
  );
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
