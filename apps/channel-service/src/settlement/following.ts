import { Inject, Injectable } from '@nestjs/common';
import type { BusResult } from '@seedfleet/bus';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { faultPoint } from '@seedfleet/service-kit';
import { ChainClient, type BroadcastReply, type ChainBroadcastState } from '../chain/chain-client.js';
import { ChainStatus } from '../chain/chain-status.js';
import { lookAgain, settlementLabel } from '../channels/channel-repository.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { DATABASE } from '../tokens.js';
import { childLabel } from '../treasury/treasury-repository.js';
import { ChildPayer, type PreparedChild } from './child-payer.js';
import { findForeignSpend } from './foreign-spend.js';
import { MissingFunding } from './missing-funding.js';
import { SettlementMoves } from './settlement-moves.js';
import { isTwinSpend, settlementProgress } from './settlement-progress.js';

/** Looks, seconds: while chain-watcher does not answer, and at what needs a person. */
const LOOK_SECONDS = { unreachable: 5, unsignable: 3_600 } as const;

/** Hands stored settlements to the chain, and follows them to burial. */
@Injectable()
export class Following {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(ChildPayer) private readonly children: ChildPayer,
    @Inject(MissingFunding) private readonly missing: MissingFunding,
    @Inject(SettlementMoves) private readonly moves: SettlementMoves,
  ) {}

  /**
   * Hands the stored bytes to chain-watcher, which keeps at it; where a child pays for them, both together, so that nobody's
   * transaction comes between. Repeating it is harmless.
   */
  async broadcast(row: ChannelRow): Promise<void> {
    const prepared = await this.children.prepare(row, false);
    const reply = prepared === null ? await this.handOver(row) : await this.handOverChild(row, prepared);
    if (reply?.ok !== true) return lookAgain(this.prisma, row, LOOK_SECONDS.unreachable);
    faultPoint('settler.broadcast.after-reply');
    await this.follow(row, false);
  }

  private async handOver(row: ChannelRow): Promise<BusResult<BroadcastReply> | null> {
    if (row.settlementTxid === null || row.settlementRaw === null) return null;
    return this.chain.broadcast(row.settlementTxid, row.settlementRaw, settlementLabel(row.id));
  }

  private async handOverChild(row: ChannelRow, { child }: PreparedChild): Promise<BusResult<BroadcastReply> | null> {
    if (row.settlementTxid === null || row.settlementRaw === null) return null;
    const reply = await this.chain.broadcastChild(
      { txid: child.txid, raw: child.raw, label: childLabel(row.id) },
      { txid: row.settlementTxid, raw: row.settlementRaw, label: settlementLabel(row.id) },
      child.replaces,
    );
    faultPoint('settler.child.after-reply');
    return reply;
  }

  /**
   * Whether a child is to be made, or made anew, for a settlement that stands so: before it is mined, and while it can be.
   * A twin in the mempool is no rival: it pays the same, and is pushed out only where its fee will not do.
   */
  private async payForIt(row: ChannelRow, { state, code }: ChainBroadcastState, hasTwin: boolean): Promise<void> {
    const isOpen = state === 'stored' || state === 'mempool' || code === 'below-min-fee' || code === 'conflict';
    if (!isOpen) return;
    const prepared = await this.children.prepare(row, code === 'conflict' && !hasTwin);
    if (prepared?.isNew === true) await this.handOverChild(row, prepared);
  }

  /** Asks how the settlement stands. One that chain-watcher does not know, as after a restore of its database, is handed over again. */
  async follow(row: ChannelRow, mayBroadcast = true): Promise<void> {
    if (row.settlementTxid === null) return lookAgain(this.prisma, row, LOOK_SECONDS.unsignable);
    const reply = await this.chain.broadcastState(row.settlementTxid);
    if (!reply.ok) return lookAgain(this.prisma, row, LOOK_SECONDS.unreachable);
    if (reply.value === null) {
      return mayBroadcast ? this.broadcast(row) : lookAgain(this.prisma, row, LOOK_SECONDS.unreachable);
    }
    const tipHeight = this.status.current()?.tip.height;
    const isReplaced = reply.value.state === 'conflicted' || reply.value.state === 'overtaken';
    const foreign = isReplaced ? await findForeignSpend(this.chain, row, tipHeight) : null;
    if (foreign === undefined) return lookAgain(this.prisma, row, LOOK_SECONDS.unreachable);
    const isPaid = foreign !== null && isTwinSpend(foreign);
    if (mayBroadcast && !(isPaid && foreign.confirmations > 0)) await this.payForIt(row, reply.value, isPaid);
    const progress = settlementProgress(row, reply.value, foreign);
    if (await this.missing.orphaned(row, progress)) return;
    const { to, reason, detail, confirmations, height, nextLookSeconds, twin } = progress;
    const facts = [Prisma.sql`"settlementConfirmations" = ${confirmations}, "settlementHeight" = ${height}`];
    const isNewTwin = (twin?.txid ?? null) !== row.minedTxid;
    if (isNewTwin) facts.push(Prisma.sql`"minedTxid" = ${twin?.txid ?? null}, "minedRaw" = ${twin?.raw ?? null}`);
    if (row.state === to && row.stateReason === reason && !isNewTwin) {
      return lookAgain(this.prisma, row, nextLookSeconds, facts);
    }
    faultPoint(to === 'buried' ? 'settler.bury.before-store' : 'settler.follow.before-store');
    await this.moves.move({
      channel: row,
      to,
      reason,
      data: { detail, confirmations, height },
      nextActionInSeconds: nextLookSeconds,
      set: facts,
    });
    faultPoint(to === 'buried' ? 'settler.bury.after-store' : 'settler.follow.after-store');
  }
}
