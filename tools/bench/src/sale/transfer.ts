import type { Child } from '../machine/child.js';
import { cpuSeconds, peakMemoryBytes, resetPeakMemory } from '../machine/process-usage.js';
import type { BenchTorrent } from './content.js';
import type { BatchCounts } from './node-metrics.js';
import type { FundOrder, Joined, SinkMode, SinkOrder, SinkReport } from './sink-orders.js';

/** What one transfer showed. */
export interface Transfer {
  readonly bytes: number;
  readonly seconds: number;
  readonly payments: number;
  /** Processor seconds of the seller's process. */
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
  /** Of a paid transfer: how its payments were made durable. */
  readonly storing?: {
    readonly entriesPerBatch: number;
    /** From a verified payment to the broker's acknowledgement, mean over batches of their oldest. */
    readonly acknowledgedMs: number;
    readonly pathCpuSeconds: number;
  };
}

export interface TransferOrder {
  readonly mode: SinkMode;
  /** Default false. */
  readonly encrypted?: boolean;
  readonly torrent: BenchTorrent;
  readonly connections: number;
  readonly transferBytes: number;
  /** `host`: default 127.0.0.1. */
  readonly seller: { readonly pid: number; readonly port: number; readonly host?: string };
  /** Waited for once every connection has its first piece, before the clock runs. */
  readonly ready?: () => Promise<void>;
  /** What a paid transfer needs besides. */
  readonly paid?: PaidSide;
}

/** The side of a transfer that money takes. */
export interface PaidSide {
  readonly fund: (joined: readonly Joined[], payments: number) => Promise<FundOrder>;
  readonly batches: () => Promise<BatchCounts>;
  /** Processor seconds so far of everything that a payment passes through besides the node. */
  readonly pathCpuSeconds: () => number;
}

/** A buyer has at most four requests open (session behaviour §8). */
const REQUESTS_OPEN = 4;
const STEP_MS = 60_000;
const TRANSFER_MS = 300_000;

/** Has the sink download from one seller; the clock runs from the second piece of each connection to the last byte. */
export async function runTransfer(sink: Child<SinkOrder, SinkReport>, order: TransferOrder): Promise<Transfer> {
  const { mode, torrent, connections, transferBytes, seller, paid } = order;
  const { infoHash, pieceCount, pieceLengthBytes } = torrent.metainfo;
  const piecesPerConnection = Math.max(1, Math.round(transferBytes / connections / pieceLengthBytes));
  sink.tell({
    type: 'open',
    mode,
    encrypted: order.encrypted ?? false,
    host: seller.host ?? '127.0.0.1',
    port: seller.port,
    infoHash,
    pieceCount,
    pieceLengthBytes,
    connections,
    piecesPerConnection,
    requestsOpen: REQUESTS_OPEN,
  });
  if (paid !== undefined) {
    const { channels } = await expect(sink, 'joined', STEP_MS);
    sink.tell(await paid.fund(channels, piecesPerConnection + 1));
  }
  await expect(sink, 'warm', STEP_MS);
  await order.ready?.();
  resetPeakMemory(seller.pid);
  const batchesBefore = await paid?.batches();
  const pathBefore = paid?.pathCpuSeconds() ?? 0;
  const before = cpuSeconds(seller.pid);
  sink.tell({ type: 'go' });
  const { bytes, seconds, payments } = await expect(sink, 'done', TRANSFER_MS);
  const used = cpuSeconds(seller.pid) - before;
  const peak = peakMemoryBytes(seller.pid);
  const pathCpuSeconds = (paid?.pathCpuSeconds() ?? 0) - pathBefore;
  const batches = await paid?.batches();
  sink.tell({ type: 'close' });
  await expect(sink, 'closed', STEP_MS);
  const transfer = { bytes, seconds, payments, cpuSeconds: used, peakMemoryBytes: peak };
  if (batches === undefined || batchesBefore === undefined) return transfer;
  const count = batches.batches - batchesBefore.batches;
  const entriesPerBatch = (batches.entries - batchesBefore.entries) / count;
  const acknowledgedMs = ((batches.waitedSeconds - batchesBefore.waitedSeconds) * 1000) / count;
  return { ...transfer, storing: { entriesPerBatch, acknowledgedMs, pathCpuSeconds } };
}

async function expect<Type extends SinkReport['type']>(
  sink: Child<SinkOrder, SinkReport>,
  type: Type,
  timeoutMs: number,
): Promise<Extract<SinkReport, { type: Type }>> {
  const report = await sink.next(timeoutMs);
  if (report.type === 'failed') throw new Error(`the download failed: ${report.why}`);
  if (report.type !== type) throw new Error(`the sink reports "${report.type}" where "${type}" was expected`);
  return report as Extract<SinkReport, { type: Type }>;
}
