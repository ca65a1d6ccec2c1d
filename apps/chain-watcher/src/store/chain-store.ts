import type { BlockHeader, BlockRef } from '@seedfleet/bitcoin-node';
import { outpointKey } from '@seedfleet/bitcoin-node';
import type { PrismaClient } from '@seedfleet/persistence';
import { broadcastBlockConnected, broadcastBlockDisconnected } from '../broadcasting/broadcast-life.js';
import { BURIAL_CONFIRMATIONS, REMEMBERED_BLOCKS } from '../defaults.js';
import type { BlockEffects } from '../following/block-effects.js';
import { watchedInputs } from '../watching/inputs.js';
import { blockConnected, blockDisconnected, isAging } from '../watching/output-life.js';
import { broadcastFromRow, type StoredBroadcast } from './broadcast-rows.js';
import { outputFromRow, type StoredOutput } from './output-rows.js';
import { moveBroadcast, moveOutput } from './writes.js';

/** A block of the chain as followed so far. */
export interface FollowedBlock extends BlockRef {
  /** Median time past of this block, seconds. */
  readonly medianTimePast: number;
}

/** A block's work is a few hundred rows at most; the limit only guards against a database that hangs. */
const TRANSACTION = { timeout: 60_000, maxWait: 10_000 };

/** Version 0 is an output whose past is yet to be looked up; until then blocks and mempool have nothing to add. */
const LOOKED_AT = { gt: 0 };

/** Everything chain-watcher keeps in Postgres, its schema `chain`. */
export class ChainStore {
  constructor(readonly prisma: PrismaClient) {}

  /** The followed chain, newest first, as far as it is remembered. */
  async followedBlocks(): Promise<readonly FollowedBlock[]> {
    const rows = await this.prisma.chainBlock.findMany({ orderBy: { height: 'desc' }, take: REMEMBERED_BLOCKS });
    return rows.map(({ height, hash, medianTimePast }) => ({ height, hash, medianTimePast }));
  }

  /** Adds blocks that nothing was watched in: the start of the very first following. */
  async seedBlocks(headers: readonly BlockHeader[]): Promise<void> {
    await this.prisma.chainBlock.createMany({ data: headers.map(blockRow) });
  }

  /**
   * Adds one block and moves, in the same transaction, every output and broadcast that it touches or ages.
   * @param previousMtp median time past of the block before, seconds.
   */
  async connectBlock(header: BlockHeader, previousMtp: number, effects: BlockEffects): Promise<void> {
    const { height, hash } = header;
    const watched = await this.#watchedAmong(effects.touched);
    const rivalled = await this.#rivalledBy(effects);
    const sent = await this.#broadcastAmong(effects.touched);
    await this.prisma.$transaction(async (tx) => {
      await tx.chainBlock.create({ data: blockRow(header) });
      const outputs = await tx.watchedOutput.findMany({
        where: {
          version: LOOKED_AT,
          OR: [
            { txid: { in: watched } },
            { fundingHeight: { gt: height - BURIAL_CONFIRMATIONS } },
            { spendHeight: { gt: height - BURIAL_CONFIRMATIONS } },
            { conflictHeight: { gt: height - BURIAL_CONFIRMATIONS } },
            { txid: { in: rivalled } },
          ],
        },
      });
      for (const output of outputs.map(outputFromRow)) {
        const made = effects.created.get(output.txid);
        const creates = made !== undefined;
        const spenderTxid = effects.spenders.get(outpointKey(output)) ?? null;
        const conflictTxid = creates ? null : rivalOf(output, effects);
        const life = blockConnected(output.life, { height, hash, previousMtp }, { creates, spenderTxid, conflictTxid });
        // A transaction that was mined before the mempool was looked at: should it be reorganised away, its rivals are known.
        const known = made === undefined ? output : { ...output, inputs: watchedInputs(made) };
        if (life !== output.life || isAging(life, height)) await moveOutput(tx, known, life, height);
      }
      const broadcasts = await tx.broadcast.findMany({
        where: { OR: [{ txid: { in: sent } }, { state: 'confirmed' }] },
      });
      for (const broadcast of broadcasts.map(broadcastFromRow)) {
        const holds = effects.created.has(broadcast.txid);
        const life = broadcastBlockConnected(broadcast.life, { height, hash }, holds);
        if (life !== broadcast.life) await moveBroadcast(tx, broadcast, life);
      }
      await tx.chainBlock.deleteMany({ where: { height: { lte: height - REMEMBERED_BLOCKS } } });
      await tx.$executeRaw`
        UPDATE chain.broadcast SET "nextAttemptAt" = now()
        WHERE state IN ('stored', 'mempool', 'rejected', 'conflicted') AND "nextAttemptAt" > now()`;
    }, TRANSACTION);
  }

  /** Takes the newest block back, with everything that was learnt from it. */
  async disconnectBlock(block: BlockRef): Promise<void> {
    const nowMs = Date.now();
    const tipHeight = block.height - 1;
    await this.prisma.$transaction(async (tx) => {
      const gone = await tx.chainBlock.deleteMany({ where: { height: block.height, hash: block.hash } });
      if (gone.count !== 1) throw new Error(`block ${block.hash} is not the followed one at height ${block.height}`);
      const outputs = await tx.watchedOutput.findMany({
        where: {
          version: LOOKED_AT,
          OR: [{ fundingHash: block.hash }, { spendHash: block.hash }, { conflictHash: block.hash }],
        },
      });
      for (const output of outputs.map(outputFromRow)) {
        await moveOutput(tx, output, blockDisconnected(output.life, block.hash), tipHeight);
      }
      const broadcasts = await tx.broadcast.findMany({
        where: { OR: [{ confirmedHash: block.hash }, { rivalHash: block.hash }] },
      });
      for (const broadcast of broadcasts.map(broadcastFromRow)) {
        await moveBroadcast(tx, broadcast, broadcastBlockDisconnected(broadcast.life, block.hash, nowMs));
      }
    }, TRANSACTION);
  }

  /** False if no block could matter to anybody: then its transactions need not be read. */
  async hasWork(): Promise<boolean> {
    const rows = await this.prisma.$queryRaw<{ work: boolean }[]>`
      SELECT EXISTS (SELECT 1 FROM chain.watched_output) OR EXISTS (SELECT 1 FROM chain.broadcast) AS work`;
    return rows[0]?.work === true;
  }

  /** Outputs whose story the mempool can still change, in pages ordered by outpoint. */
  async openOutputs(after: { txid: string; vout: number } | null, limit: number): Promise<readonly StoredOutput[]> {
    const rows = await this.prisma.watchedOutput.findMany({
      where: {
        version: LOOKED_AT,
        state: { not: 'spent-confirmed' },
        ...(after === null
          ? {}
          : { OR: [{ txid: { gt: after.txid } }, { txid: after.txid, vout: { gt: after.vout } }] }),
      },
      orderBy: [{ txid: 'asc' }, { vout: 'asc' }],
      take: limit,
    });
    return rows.map(outputFromRow);
  }

  /** Outputs taken into the watch whose past has not been looked up yet. */
  async newOutputs(limit: number): Promise<readonly StoredOutput[]> {
    const rows = await this.prisma.watchedOutput.findMany({ where: { version: 0 }, take: limit });
    return rows.map(outputFromRow);
  }

  /** Outputs that are still open; those whose spend is in a block cost nothing but their row. */
  async watchedCount(): Promise<number> {
    return this.prisma.watchedOutput.count({ where: { state: { not: 'spent-confirmed' } } });
  }

  async output(outpoint: { txid: string; vout: number }): Promise<StoredOutput | undefined> {
    const { txid, vout } = outpoint;
    const row = await this.prisma.watchedOutput.findUnique({ where: { txid_vout: { txid, vout } } });
    return row === null ? undefined : outputFromRow(row);
  }

  async broadcast(txid: string): Promise<StoredBroadcast | undefined> {
    const row = await this.prisma.broadcast.findUnique({ where: { txid } });
    return row === null ? undefined : broadcastFromRow(row);
  }

  /** The child that a transaction is sent together with: the newest one that pays for it and is not withdrawn. */
  async childOf(txid: string): Promise<StoredBroadcast | undefined> {
    const row = await this.prisma.broadcast.findFirst({
      where: { parentTxid: txid, state: { in: ['stored', 'mempool', 'rejected', 'conflicted'] } },
      orderBy: { createdAt: 'desc' },
    });
    return row === null ? undefined : broadcastFromRow(row);
  }

  /** Broadcasts whose next attempt is due, longest due first. */
  async dueBroadcasts(nowMs: number, limit: number): Promise<readonly StoredBroadcast[]> {
    const rows = await this.prisma.broadcast.findMany({
      where: {
        state: { in: ['stored', 'mempool', 'rejected', 'conflicted'] },
        nextAttemptAt: { lte: new Date(nowMs) },
      },
      orderBy: { nextAttemptAt: 'asc' },
      take: limit,
    });
    return rows.map(broadcastFromRow);
  }

  /** Numbers for the metrics. */
  async counts(): Promise<{ outputs: Record<string, number>; broadcasts: Record<string, number>; unsent: number }> {
    const [outputs, broadcasts, unsent] = await Promise.all([
      this.prisma.watchedOutput.groupBy({ by: ['state'], _count: { _all: true } }),
      this.prisma.broadcast.groupBy({ by: ['state'], _count: { _all: true } }),
      this.prisma.chainOutbox.count({ where: { sentAt: null } }),
    ]);
    const byState = (groups: readonly { state: string; _count: { _all: number } }[]): Record<string, number> =>
      Object.fromEntries(groups.map((group) => [group.state, group._count._all]));
    return { outputs: byState(outputs), broadcasts: byState(broadcasts), unsent };
  }

  /** Which of these transactions have watched outputs. One array parameter, as a block holds thousands. */
  async #watchedAmong(txids: readonly string[]): Promise<string[]> {
    const rows = await this.prisma.$queryRaw<{ txid: string }[]>`
      SELECT DISTINCT txid FROM chain.watched_output WHERE txid = ANY(${[...txids]}::text[])`;
    return rows.map((row) => row.txid);
  }

  /** Transactions of watched outputs that are in no block, and one of whose inputs this block spends otherwise. */
  async #rivalledBy(effects: BlockEffects): Promise<string[]> {
    const rows = await this.prisma.$queryRaw<{ txid: string; inputs: string[] }[]>`
      SELECT txid, inputs FROM chain.watched_output
      WHERE "fundingHeight" IS NULL AND version > 0 AND inputs <> '{}'`;
    return rows.filter((row) => rivalOf(row, effects) !== null).map(({ txid }) => txid);
  }

  async #broadcastAmong(txids: readonly string[]): Promise<string[]> {
    const rows = await this.prisma.$queryRaw<{ txid: string }[]>`
      SELECT txid FROM chain.broadcast WHERE txid = ANY(${[...txids]}::text[])`;
    return rows.map((row) => row.txid);
  }
}

/** The transaction of a block that spends an input of another one; null if it holds that one itself, or neither. */
function rivalOf({ txid, inputs }: Pick<StoredOutput, 'txid' | 'inputs'>, { spenders }: BlockEffects): string | null {
  for (const input of inputs) {
    const spender = spenders.get(input);
    if (spender !== undefined) return spender === txid ? null : spender;
  }
  return null;
}

const blockRow = (header: BlockHeader) => ({
  height: header.height,
  hash: header.hash,
  previousHash: header.previousHash ?? '',
  medianTimePast: header.medianTimeSec,
});
