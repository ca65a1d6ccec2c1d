import { Inject, Injectable } from '@nestjs/common';
import { decideSettlement, isSettled } from '@seedfleet/channel-lifecycle';
import {
  netSat,
  type ChannelParameters,
  type Ecdsa,
  type Network,
  type RawTransaction,
} from '@seedfleet/payment-channel';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { BusResult } from '@seedfleet/bus';
import { ChainClient, type BroadcastReply, type ChainBroadcastState } from '../chain/chain-client.js';
import { ChainStatus } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { findChannel, lookAgain, settlementLabel } from '../channels/channel-repository.js';
import { channelParameters } from '../channels/parameters.js';
import { moveChannel, type ChannelMove } from '../channels/transition.js';
import { paymentIn } from '../checkpoints/settled-payment.js';
import { SettlementOrder, ORDER_AWAITED } from '../checkpoints/settlement-order.js';
import type { Conflict } from '../funding/absence.js';
import { SignerAway } from '../keys/signer-away.js';
import type { SettlementOrder as SigningOrder, SignedSettlement, Signer } from '../keys/signer.js';
import { DATABASE, ECDSA, NETWORK, POLICY, SIGNER } from '../tokens.js';
import { AWAITED_PAYMENT_SECONDS } from './awaited-payment.js';
import { childLabel } from '../treasury/treasury-repository.js';
import { ChildPayer, type PreparedChild } from './child-payer.js';
import { findForeignSpend } from './foreign-spend.js';
import { IntakeProgress } from './intake-progress.js';
import { isTwinSpend, isOrphaned, paysUs, settlementProgress, type SettlementProgress } from './settlement-progress.js';
import { whyGone, type Gone } from './lost-funding.js';

/** Looks of the settler, seconds: for payments still to come; while chain-watcher does not answer; at what needs a person; at a missing funding. */
const LOOK_SECONDS = { freeze: 1, unreachable: 5, unsignable: 3_600, missing: 60 } as const;

/** Brings a closed channel's money home: freeze, verify, sign, store, broadcast, follow to burial. */
@Injectable()
export class SettlementService {
  private readonly moves: Counter<'state' | 'reason'>;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(IntakeProgress) private readonly intake: IntakeProgress,
    @Inject(ChildPayer) private readonly children: ChildPayer,
    @Inject(SettlementOrder) private readonly order: SettlementOrder,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(ECDSA) private readonly ecdsa: Ecdsa,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.moves = new Counter({
      name: 'seedfleet_settlement_moves_total',
      help: 'Channels moved by the settler, by state entered and reason',
      labelNames: ['state', 'reason'],
      registers: [registry],
    });
  }

  /**
   * Does what is next for a channel of the settler's. Each step is stored before the next begins. Where the signer is away
   * nothing is wrong with the channel: it waits for the signer as it is.
   */
  async work(row: ChannelRow): Promise<void> {
    try {
      await this.step(row);
    } catch (failure) {
      if (!(failure instanceof SignerAway)) throw failure;
      // Whatever was stored on the way counts: the row may be another by now.
      const now = await findChannel(this.prisma, row.id);
      if (now !== null) await lookAgain(this.prisma, { ...now, wakes: row.wakes }, failure.retryInSeconds);
    }
  }

  private step(row: ChannelRow): Promise<void> {
    switch (row.state) {
      case 'closing':
        return this.close(row);
      case 'funding-missing':
        return this.awaitFunding(row);
      case 'lost':
        return row.settlementTxid === null ? this.awaitFunding(row) : this.follow(row);
      case 'settle-rejected':
        // Nothing was signed: the stored signature is not good. Another look is all that can be done without a person.
        return row.settlementTxid === null ? this.close(row) : this.follow(row);
      default:
        return this.follow(row);
    }
  }

  private async close(row: ChannelRow): Promise<void> {
    const frozen = row.frozenK === null ? await this.freeze(row) : row;
    if (frozen === null) return lookAgain(this.prisma, row, LOOK_SECONDS.freeze);
    faultPoint('settler.freeze.after-store');
    if (frozen.settlementTxid !== null) return this.follow(frozen);
    const decision = decideSettlement({ ...frozen, k: Number(frozen.k) }, this.policy.belowMin, this.relayMinimum());
    if (!isSettled(decision)) {
      const standing = await this.order.standing(frozen);
      if (standing?.kind === 'wait') return lookAgain(this.prisma, frozen, standing.seconds);
      if (standing === null) return this.finish(frozen, 'nothing-owed', decision);
    }
    const signed = await this.sign(frozen, decision === 'settle');
    if (signed === null) return;
    faultPoint('settler.sign.after-store');
    await this.broadcast(signed);
  }

  /** What a settlement below kMin must pay to be relayed, satoshi per 1000 virtual bytes: the policy's, or the node's. */
  private relayMinimum(): bigint {
    const ofPolicy = this.policy.returnChange.minRelaySatPerKvb;
    const ofNode = this.status.current()?.feeRates.relayMinimumSatPerKvb ?? 0n;
    return ofNode > ofPolicy ? ofNode : ofPolicy;
  }

  /**
   * From here k stands. Payments that were on their way when the channel closed get their time first, also where news of
   * the chain woke us earlier, and the intake its time to store what the broker has; null until then.
   */
  private async freeze(row: ChannelRow): Promise<ChannelRow | null> {
    const closedForMs = Date.now() - row.stateEnteredAt.getTime();
    if (closedForMs < AWAITED_PAYMENT_SECONDS * 1_000) return null;
    if (!(await this.intake.isCaughtUp(row.id, closedForMs))) return null;
    faultPoint('settler.freeze.before-store');
    return this.move({
      channel: row,
      to: 'closing',
      reason: 'k-frozen',
      data: { frozenK: row.k.toString() },
      nextActionInSeconds: 0,
      set: [Prisma.sql`"frozenK" = "k"`],
      where: Prisma.sql`"k" = ${row.k} AND "frozenK" IS NULL
        AND "stateEnteredAt" <= now() - make_interval(secs => ${AWAITED_PAYMENT_SECONDS}::float8)`,
    });
  }

  /** Signs and stores; the bytes leave only after that. Null when nothing can be broadcast now. */
  private async sign(row: ChannelRow, earns: boolean): Promise<ChannelRow | null> {
    const channel = channelParameters(row, this.network);
    if (channel === null || (row.signature === null && row.k > 0n)) {
      await this.reject(row, 'payment-incomplete');
      return null;
    }
    const chosen = await this.order.choose(row, channel, earns, () => this.signFrozen(row, channel));
    if (chosen.kind === 'unsigned') return null;
    if (chosen.kind === 'wait') return this.await(row, chosen.seconds);
    faultPoint('settler.sign.before-store');
    const { k, transaction } = chosen;
    const { txid, bytes } = transaction;
    const later = k > row.k ? paymentIn(bytes, channel, Number(k), this.ecdsa) : null;
    if (k > row.k && later === null) {
      await this.reject(row, 'later-payment-unproven');
      return null;
    }
    const earnedSat = netSat(Number(k), row.priceSat, row.settlementFeeSat);
    const settledK = k < row.k ? k : null;
    const sets = [
      Prisma.sql`"settlementTxid" = ${txid}, "settlementRaw" = ${new Uint8Array(bytes)}, "settledK" = ${settledK}::bigint`,
    ];
    if (later !== null) {
      sets.push(Prisma.sql`"k" = ${k}::bigint, "frozenK" = ${k}::bigint, "signature" = ${new Uint8Array(later)}`);
    }
    return this.move({
      channel: row,
      to: 'settling',
      reason: sentReason(k, row.k),
      data: { settlementTxid: txid, k: k.toString(), netSat: earnedSat.toString() },
      nextActionInSeconds: LOOK_SECONDS.unreachable,
      set: sets,
      where: Prisma.sql`"frozenK" = ${row.k} AND "settlementTxid" IS NULL`,
    });
  }

  /** Null where the signer refuses, which is noted. */
  private async signFrozen(row: ChannelRow, channel: ChannelParameters): Promise<RawTransaction | null> {
    if (row.signature === null) {
      await this.reject(row, 'payment-incomplete');
      return null;
    }
    faultPoint('settler.sign.before-sign');
    const order = {
      path: { epoch: row.keyEpoch, index: row.keyIndex },
      channel,
      k: Number(row.k),
      buyerSignature: row.signature,
    };
    const signed = await signWhole(this.signer, order);
    if (signed.ok) return signed.transaction;
    await this.reject(row, signed.code);
    return null;
  }

  /** Others have to answer before anything may be sent; the channel says so, so that a person sees it. */
  private async await(row: ChannelRow, seconds: number): Promise<null> {
    if (row.stateReason === ORDER_AWAITED) await lookAgain(this.prisma, row, seconds);
    else await this.move({ channel: row, to: 'closing', reason: ORDER_AWAITED, nextActionInSeconds: seconds });
    return null;
  }

  private async reject(row: ChannelRow, code: string): Promise<void> {
    const { id: channelId, infoHash, k } = row;
    this.logger.error({ channelId, infoHash, k: k.toString(), code }, 'settlement can not be signed');
    if (row.state === 'settle-rejected' && row.stateReason === code) {
      return lookAgain(this.prisma, row, LOOK_SECONDS.unsignable);
    }
    await this.move({
      channel: row,
      to: 'settle-rejected',
      reason: code,
      nextActionInSeconds: LOOK_SECONDS.unsignable,
    });
  }

  /**
   * Hands the stored bytes to chain-watcher, which keeps at it; where a child pays for them, both together, so that nobody's
   * transaction comes between. Repeating it is harmless.
   */
  private async broadcast(row: ChannelRow): Promise<void> {
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
  private async follow(row: ChannelRow, mayBroadcast = true): Promise<void> {
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
    if (await this.orphaned(row, progress)) return;
    const { to, reason, detail, confirmations, height, nextLookSeconds, twin } = progress;
    const facts = [Prisma.sql`"settlementConfirmations" = ${confirmations}, "settlementHeight" = ${height}`];
    const isNewTwin = (twin?.txid ?? null) !== row.minedTxid;
    if (isNewTwin) facts.push(Prisma.sql`"minedTxid" = ${twin?.txid ?? null}, "minedRaw" = ${twin?.raw ?? null}`);
    if (row.state === to && row.stateReason === reason && !isNewTwin) {
      return lookAgain(this.prisma, row, nextLookSeconds, facts);
    }
    faultPoint(to === 'buried' ? 'settler.bury.before-store' : 'settler.follow.before-store');
    await this.move({
      channel: row,
      to,
      reason,
      data: { detail, confirmations, height },
      nextActionInSeconds: nextLookSeconds,
      set: facts,
    });
    faultPoint(to === 'buried' ? 'settler.bury.after-store' : 'settler.follow.after-store');
  }

  /**
   * A funding that vanished may come back for as long as somebody can mine it again; then what was paid is settled. One whose
   * rival is final will not.
   */
  private async awaitFunding(row: ChannelRow): Promise<void> {
    if (row.k === 0n) return this.finish(row, 'nothing-owed', 'nothing-paid');
    if (row.fundingTxid === null || row.fundingVout === null) return;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!output.ok) return lookAgain(this.prisma, row, LOOK_SECONDS.unreachable);
    if (output.value.found) {
      await this.move({ channel: row, to: 'closing', reason: 'funding-back', nextActionInSeconds: 0 });
      return;
    }
    const gone = this.whyGone(row, output.value.conflict);
    if (gone === null) return lookAgain(this.prisma, row, LOOK_SECONDS.missing);
    if (row.state === 'lost') return lookAgain(this.prisma, row, null);
    await this.finish(row, paysUs({ ...row, frozenK: row.k }) ? 'lost' : 'nothing-owed', gone.reason, gone.data);
  }

  /** A stored settlement whose funding stayed away; while the node still has the funding, the refusal has another cause. */
  private async orphaned(row: ChannelRow, progress: SettlementProgress): Promise<boolean> {
    if (!isOrphaned(row, progress) || row.fundingTxid === null || row.fundingVout === null) return false;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!output.ok || output.value.found) return false;
    const gone = this.whyGone(row, output.value.conflict);
    if (gone === null) return false;
    if (row.state === 'lost') await lookAgain(this.prisma, row, null);
    else await this.finish(row, paysUs(row) ? 'lost' : 'nothing-owed', gone.reason, gone.data);
    return true;
  }

  private whyGone(row: ChannelRow, conflict: Conflict | null): Gone | null {
    const tipHeight = this.status.current()?.tip.height ?? null;
    return whyGone(row, conflict, { tipHeight, nowMs: Date.now(), watchMs: this.policy.timeouts.watchUnconfirmedMs });
  }

  private async finish(
    row: ChannelRow,
    to: 'nothing-owed' | 'lost',
    reason: string,
    data: Prisma.InputJsonObject = {},
  ): Promise<void> {
    await this.move({ channel: row, to, reason, data: { k: row.k.toString(), ...data }, nextActionInSeconds: null });
  }

  private async move(move: ChannelMove & { readonly channel: ChannelRow }): Promise<ChannelRow | null> {
    const moved = await moveChannel(this.prisma, move);
    if (moved === null) return null;
    const { channel } = move;
    this.moves.inc({ state: moved.state, reason: moved.stateReason });
    this.logger.info(
      {
        channelId: channel.id,
        infoHash: channel.infoHash,
        peer: channel.peerAddress,
        from: channel.state,
        to: moved.state,
        reason: moved.stateReason,
        k: moved.k.toString(),
        settlementTxid: moved.settlementTxid,
      },
      'channel moved',
    );
    return moved;
  }
}

/** Keys or amounts that are none can only come from a corrupted row: a person has to see it, and it may be mended. */
async function signWhole(
  signer: Signer,
  order: SigningOrder,
): Promise<SignedSettlement | { readonly ok: false; readonly code: 'row-corrupt' }> {
  try {
    return await signer.signSettlement(order);
  } catch (failure) {
    if (failure instanceof SignerAway) throw failure;
    return { ok: false, code: 'row-corrupt' };
  }
}

/** Why a settlement is stored: ours, or what others had sent. */
function sentReason(k: bigint, lastK: bigint): string {
  if (k === lastK) return 'stored';
  return k < lastK ? 'earlier-payment-sent' : 'later-payment-sent';
}
