import { BuyerLink, desktopTerms, until, type Torrent } from '@seedfleet/interop';
import { readFileSync } from 'node:fs';
import { aim, median, print } from '../measure.js';
import { fundChannels } from '../sale/funding.js';
import { batchCounts } from '../sale/node-metrics.js';
import { runTransfer } from '../sale/transfer.js';
import { Child } from '../machine/child.js';
import { takePrecedence } from '../machine/precedence.js';
import type { LoopReport } from './loop-watch.js';
import type { CanaryOrder, CanaryReport } from './canary.js';
import { figures, LOOP_TIMER_MS, loopReport, whereabouts, type NodeFigures } from './node-figures.js';
import { stayConnected, type SwarmBench } from './swarm.js';

const NODE = 'node-1';
const MIB = 1024 * 1024;
/** What reference buyers ask for. */
const TEST_BYTES = 500_000;
const MAX_TESTS = 90;
const TEST_MS = 10_000;
const CANARY_MS = 10_000;

/** Many idle connections, some sales among them, and newcomers that test the seller's speed meanwhile. */
export async function busySales(bench: SwarmBench): Promise<boolean> {
  const { fleet, options, film, sink, port } = bench;
  const { pid } = whereabouts(fleet, NODE);
  const preferred = options.precedence && takePrecedence(pid);
  const leave = await stayConnected(bench, 'session', options.connections - options.sales);
  const looks: NodeFigures[] = [];
  const loops: LoopReport[] = [];
  const tests = new SpeedTests(bench);
  const canary = new Child<CanaryOrder, CanaryReport>(new URL('./canary.js', import.meta.url));
  let machineMs = Number.NaN;
  const transfer = await runTransfer(sink, {
    mode: 'paid',
    torrent: film,
    connections: options.sales,
    transferBytes: options.transferBytes,
    seller: { pid, port },
    paid: {
      fund: (joined, payments) => fundChannels(fleet.run.bitcoin.rpcUrl, joined, payments),
      // Asked right before the first piece and right after the last one.
      batches: async () => {
        looks.push(await figures(fleet, NODE));
        loops.push(await loopReport(fleet, NODE, bench.loopFile));
        if (looks.length === 1) {
          tests.start();
          canary.tell({ type: 'begin' });
        } else {
          tests.stop();
          canary.tell({ type: 'tell' });
          machineMs = Math.max(0, (await canary.next(CANARY_MS)).p99Ms - LOOP_TIMER_MS);
        }
        return batchCounts(fleet, NODE);
      },
      pathCpuSeconds: () => 0,
    },
  });
  await leave();
  await canary.end();
  const answers = await tests.results();
  const loopMs = looks.at(-1)?.loopDelayP99Ms ?? Number.NaN;
  const { seconds, payments, bytes } = transfer;
  print(
    `  (${options.sales} sales among ${options.connections} connections: ${(payments / seconds).toFixed(0)} pieces/s, ` +
      `${(bytes / 1e6 / seconds).toFixed(0)} MB/s, ${(transfer.cpuSeconds / seconds).toFixed(2)} cores, peak ${(transfer.peakMemoryBytes / MIB).toFixed(0)} MiB)`,
  );
  const ordered = [...answers].sort((a, b) => a - b);
  print(
    `speed test of ${TEST_BYTES} bytes meanwhile`.padEnd(44) +
      ` ${`${median(answers).toFixed(1)} ms`.padStart(16)}   median of ${answers.length}, slowest ${(ordered.at(-1) ?? Number.NaN).toFixed(0)} ms`,
  );
  print(`  (an idle process beside it: ${machineMs.toFixed(1)} ms at p99, which is the machine's own delay)`);
  const loop = loops.at(-1)!;
  const share = (ms: number): string => (ms / loop.spanMs).toFixed(2);
  print(
    `  (its main thread was on a processor for ${share(loop.cpuMs)} of the time and waited for one for ${share(loop.waitedMs)}` +
      `${preferred ? ', with precedence over the others here' : ''}; garbage ${loop.garbageMs.toFixed(0)} of ${loop.spanMs.toFixed(0)} ms, ` +
      `longest ${loop.worstGarbageMs.toFixed(1)}; late by ${loop.p99Ms.toFixed(1)} ms at p99, ` +
      `without the waiting by ${loop.ownP99Ms.toFixed(1)}, at worst ${loop.ownWorstMs.toFixed(1)})`,
  );
  return aim('event-loop delay, p99', `${loopMs.toFixed(1)} ms`, loopMs < 20, '< 20 ms');
}

/** One newcomer after the other asks for a speed test, as a reference buyer does, and leaves. */
class SpeedTests {
  private readonly answersMs: number[] = [];
  private stopped = false;
  private running: Promise<void> | undefined;

  constructor(private readonly bench: SwarmBench) {}

  start(): void {
    this.running = this.run();
  }

  stop(): void {
    this.stopped = true;
  }

  /** From before each request was sent until its whole answer was there, ms. */
  async results(): Promise<readonly number[]> {
    await this.running;
    return this.answersMs;
  }

  private async run(): Promise<void> {
    const { film, port } = this.bench;
    const { infoHash, name, pieceLengthBytes, totalLengthBytes, pieceCount } = film.metainfo;
    const torrent: Torrent = {
      name,
      file: readFileSync(film.torrentFile),
      infoHash: Buffer.from(infoHash, 'hex'),
      infoHashHex: infoHash,
      pieceLengthBytes,
      totalBytes: totalLengthBytes,
      pieces: pieceCount,
      hashes: [],
    };
    for (let at = 0; at < MAX_TESTS && !this.stopped; at++) {
      const link = new BuyerLink({
        address: `127.0.0.1:${port}`,
        torrent,
        terms: desktopTerms(1_000_000n),
        speedTestBytes: TEST_BYTES,
      });
      await until('an answer', () => link.speedTestMs ?? link.isClosed, TEST_MS).catch(() => undefined);
      if (link.speedTestMs !== undefined) this.answersMs.push(link.speedTestMs);
      link.link.destroy();
    }
  }
}
