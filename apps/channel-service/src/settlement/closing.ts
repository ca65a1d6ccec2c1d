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
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { ChainStatus } from '../chain/chain-status.js';
import { lookAgain } from '../channels/channel-repository.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { channelParameters } from '../channels/parameters.js';
import { paymentIn } from '../checkpoints/settled-payment.js';
import { ORDER_AWAITED, SettlementOrder } from '../checkpoints/settlement-order.js';
import { SignerAway } from '../keys/signer-away.js';
import type { SettlementOrder as SigningOrder, SignedSettlement, Signer } from '../keys/signer.js';
import { DATABASE, ECDSA, NETWORK, POLICY, SIGNER } from '../tokens.js';
import { AWAITED_PAYMENT_SECONDS } from './awaited-payment.js';
import { Following } from './following.js';
import { IntakeProgress } from './intake-progress.js';
import { SettlementMoves } from './settlement-moves.js';

/** Looks, seconds: for payments still to come; while chain-watcher does not answer; at what needs a person. */
const LOOK_SECONDS = { freeze: 1, unreachable: 5, unsignable: 3_600 } as const;

/** From the end of a sale to a stored settlement: freeze k, choose what settles, verify, sign, store. */
@Injectable()
export class Closing {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(IntakeProgress) private readonly intake: IntakeProgress,
    @Inject(SettlementOrder) private readonly order: SettlementOrder,
    @Inject(Following) private readonly following: Following,
    @Inject(SettlementMoves) private readonly moves: SettlementMoves,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(ECDSA) private readonly ecdsa: Ecdsa,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async close(row: ChannelRow): Promise<void> {
    const frozen = row.frozenK === null ? await this.freeze(row) : row;
    if (frozen === null) return lookAgain(this.prisma, row, LOOK_SECONDS.freeze);
    faultPoint('settler.freeze.after-store');
    if (frozen.settlementTxid !== null) return this.following.follow(frozen);
    const decision = decideSettlement({ ...frozen, k: Number(frozen.k) }, this.policy.belowMin, this.relayMinimum());
    if (!isSettled(decision)) {
      const elsewhere = await this.order.elsewhere(frozen);
      if (elsewhere === null) return this.moves.finish(frozen, 'nothing-owed', decision);
      if (elsewhere !== 'settle') return lookAgain(this.prisma, frozen, elsewhere.seconds);
    }
    const signed = await this.sign(frozen, decision === 'settle');
    if (signed === null) return;
    faultPoint('settler.sign.after-store');
    await this.following.broadcast(signed);
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
    return this.moves.move({
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
    const chosen = await this.order.choose(row, channel, earns, (payment) =>
      this.signPayment(row, channel, payment ?? row),
    );
    if (chosen.kind === 'unsigned') return null;
    if (chosen.kind === 'wait') return this.await(row, chosen.seconds);
    faultPoint('settler.sign.before-store');
    const { k, transaction, isSent } = chosen;
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
    return this.moves.move({
      channel: row,
      to: 'settling',
      reason: storedReason(k, row.k, isSent),
      data: { settlementTxid: txid, k: k.toString(), netSat: earnedSat.toString() },
      nextActionInSeconds: LOOK_SECONDS.unreachable,
      set: sets,
      where: Prisma.sql`"frozenK" = ${row.k} AND "settlementTxid" IS NULL`,
    });
  }

  /** Null where the signer refuses, which is noted. */
  private async signPayment(
    row: ChannelRow,
    channel: ChannelParameters,
    { k, signature }: Pick<ChannelRow, 'k'> & { readonly signature: Uint8Array | null },
  ): Promise<RawTransaction | null> {
    if (signature === null) {
      await this.reject(row, 'payment-incomplete');
      return null;
    }
    faultPoint('settler.sign.before-sign');
    const order = {
      path: { epoch: row.keyEpoch, index: row.keyIndex },
      channel,
      k: Number(k),
      buyerSignature: signature,
    };
    const signed = await signWhole(this.signer, order);
    if (signed.ok) return signed.transaction;
    await this.reject(row, signed.code);
    return null;
  }

  /** Others have to answer before anything may be sent; the channel says so, so that a person sees it. */
  private async await(row: ChannelRow, seconds: number): Promise<null> {
    if (row.stateReason === ORDER_AWAITED) await lookAgain(this.prisma, row, seconds);
    else await this.moves.move({ channel: row, to: 'closing', reason: ORDER_AWAITED, nextActionInSeconds: seconds });
    return null;
  }

  private async reject(row: ChannelRow, code: string): Promise<void> {
    const { id: channelId, infoHash, k } = row;
    this.logger.error({ channelId, infoHash, k: k.toString(), code }, 'settlement can not be signed');
    if (row.state === 'settle-rejected' && row.stateReason === code) {
      return lookAgain(this.prisma, row, LOOK_SECONDS.unsignable);
    }
    await this.moves.move({
      channel: row,
      to: 'settle-rejected',
      reason: code,
      nextActionInSeconds: LOOK_SECONDS.unsignable,
    });
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

/** Why a settlement is stored: ours, what others had sent, or of a payment that only others knew. */
function storedReason(k: bigint, lastK: bigint, isSent: boolean): string {
  if (k === lastK) return 'stored';
  if (k < lastK) return 'earlier-payment-sent';
  return isSent ? 'later-payment-sent' : 'later-payment-held';
}
