import { Inject, Injectable } from '@nestjs/common';
import { maturityMtp } from '@seedfleet/channel-lifecycle';
import {
  decodeTransaction,
  type ChannelParameters,
  type Network,
  type RawTransaction,
} from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { ChainClient, type ChainOutput } from '../chain/chain-client.js';
import { ChainStatus } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { settlementLabel } from '../channels/channel-repository.js';
import { channelParameters } from '../channels/parameters.js';
import type { ChannelServiceConfig } from '../config.js';
import { CONFIG, DATABASE, NETWORK, POLICY } from '../tokens.js';
import {
  checkpointFiled,
  newestCheckpoint,
  storeCheckpoint,
  type Checkpoint,
  type StoredCheckpoint,
} from './checkpoint-repository.js';
import { settledPayment } from './settled-payment.js';
import { scheduleOf, type OrderSchedule } from './order-schedule.js';
import { orderVerdict } from './order-verdict.js';

/** Looks while something is awaited, seconds. */
const LOOK_SECONDS = { unreachable: 5, acknowledgement: 1, filedAbove: 0 } as const;

/** Why a channel waits with a settlement that could be signed. */
export const ORDER_AWAITED = 'order-awaited';

/** Which transaction settles a channel. */
export type Chosen =
  | { readonly kind: 'settle'; readonly k: bigint; readonly transaction: RawTransaction }
  | { readonly kind: 'wait'; readonly seconds: number }
  /** It can't be signed; the one who signs has said so. */
  | { readonly kind: 'unsigned' };

type Sign = () => Promise<RawTransaction | null>;

/**
 * Sees to it that no two settlements of a channel are sent. Checkpoints of it may be with others, to be sent at a date; so
 * the last settlement takes their place first, is acknowledged by whoever holds them, and only then is ours to send. What
 * was sent already, or stands on the chain, is the settlement: what it falls short of the last payment is lost, and where it
 * settles a later one, which a database that was brought back from a copy does not know, it brings that payment along.
 */
@Injectable()
export class SettlementOrder {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(CONFIG) private readonly config: ChannelServiceConfig,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @param earns whether something of the settlement is ours: where nothing is, nothing was filed to be sent by others
   * @param sign signs the settlement of the frozen k
   */
  async choose(row: ChannelRow, channel: ChannelParameters, earns: boolean, sign: Sign): Promise<Chosen> {
    const { fundingTxid, fundingVout } = row;
    if (fundingTxid === null || fundingVout === null) return settle(row.k, await sign());
    const output = await this.chain.output(fundingTxid, fundingVout);
    const onChain = output.ok ? await this.onChain(output.value, channel) : null;
    if (onChain !== null) return onChain;
    const newest = await newestCheckpoint(this.prisma, row.id);
    const mayBeHeld = earns && (newest !== null || (this.config.TOWER && row.deadlineMtp !== null));
    if (!mayBeHeld) return settle(row.k, await sign());
    if (!output.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    const schedule = this.scheduleFor(row, output.value) ?? newest?.schedule;
    if (schedule === undefined) return settle(row.k, await sign());
    // Others may hold one whose dates are corrupt here; they are told again once the output is in a block.
    if (schedule === null) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    const filed = await this.inPlaceOf(row, channel, newest, schedule, sign);
    if (filed === null) return { kind: 'unsigned' };
    return this.file(row, channel, filed, { txid: fundingTxid, vout: fundingVout });
  }

  /** The settlement of this channel that stands on the chain although nothing was signed here; null where none does. */
  async standing(row: ChannelRow): Promise<Chosen | null> {
    const channel = channelParameters(row, this.network);
    if (channel === null || row.fundingTxid === null || row.fundingVout === null) return null;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    return output.ok ? this.onChain(output.value, channel) : { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
  }

  /** A settlement that spends the funding output, in a block or in the mempool. Null where none does. */
  private async onChain(output: ChainOutput, channel: ChannelParameters): Promise<Chosen | null> {
    if (!output.found || output.spentBy === null) return null;
    const { txid } = output.spentBy;
    for (const vout of [1, 0]) {
      const spender = await this.chain.output(txid, vout);
      if (!spender.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
      if (!spender.value.found) continue;
      const k = settledPayment(spender.value.raw, channel);
      return k === null ? null : settle(BigInt(k), { txid, bytes: spender.value.raw });
    }
    return null;
  }

  private scheduleFor(row: ChannelRow, output: ChainOutput): OrderSchedule | undefined {
    if (!output.found || output.fundingMtp === null || row.deadlineMtp === null) return undefined;
    const maturity = maturityMtp({ lockUnits: row.lockUnits, fundingPreviousMtp: output.fundingMtp });
    return maturity === undefined ? undefined : scheduleOf(row.deadlineMtp, maturity, this.policy);
  }

  /** The last settlement, stored to be filed in place of what others hold. Null where it can't be signed. */
  private async inPlaceOf(
    row: ChannelRow,
    channel: ChannelParameters,
    newest: StoredCheckpoint | null,
    schedule: OrderSchedule,
    sign: Sign,
  ): Promise<Checkpoint | null> {
    if (newest !== null && settlesLast(newest, row, channel))
      return { ...newest, schedule: newest.schedule ?? schedule };
    const signed = await sign();
    if (signed === null) return null;
    const last: Checkpoint = {
      channelId: row.id,
      version: (newest?.version ?? 0) + 1,
      k: row.k,
      txid: signed.txid,
      raw: new Uint8Array(signed.bytes),
      schedule,
    };
    faultPoint('settler.checkpoint.before-store');
    await storeCheckpoint(this.prisma, last);
    faultPoint('settler.checkpoint.after-store');
    return last;
  }

  private async file(
    row: ChannelRow,
    channel: ChannelParameters,
    last: Checkpoint,
    output: { readonly txid: string; readonly vout: number },
  ): Promise<Chosen> {
    const { version, txid, raw, schedule } = last;
    const label = settlementLabel(row.id);
    const reply = await this.chain.fileOrder({ id: row.id, version, txid, raw, label, output, schedule });
    if (!reply.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    faultPoint('settler.order.after-reply');
    const verdict = orderVerdict(last, reply.value, this.config.TOWER);
    switch (verdict.kind) {
      case 'go':
        await checkpointFiled(this.prisma, row.id, version);
        return settle(last.k, { txid, bytes: raw });
      case 'sent':
        return this.sent(row, channel, verdict.sent);
      case 'file-above':
        await storeCheckpoint(this.prisma, { ...last, version: verdict.version + 1 });
        return { kind: 'wait', seconds: LOOK_SECONDS.filedAbove };
      case 'unacknowledged':
        return this.withoutTower(row, last);
    }
  }

  /** Somebody who held an order has sent it: also where our own node has not seen it, nothing else is sent from here on. */
  private sent(row: ChannelRow, channel: ChannelParameters, { txid, raw }: { txid: string; raw: Uint8Array | null }) {
    const k = raw === null ? null : settledPayment(raw, channel);
    if (raw === null || k === null) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable } as const;
    this.logger.warn({ channelId: row.id, txid, k, lastK: row.k.toString() }, 'a dated order was sent: it settles');
    return settle(BigInt(k), { txid, bytes: raw });
  }

  /**
   * The tower looks at the chain before it sends, and sends nothing before half the margin. So while that is far, a
   * settlement that it has not acknowledged is safe to send; later it is chain-watcher that sends it, in its own time.
   */
  private withoutTower(row: ChannelRow, last: Checkpoint): Chosen {
    const medianTimePast = this.status.current()?.tip.medianTimePast;
    const waitedMs = row.stateReason === ORDER_AWAITED ? Date.now() - row.stateEnteredAt.getTime() : 0;
    const isFar = medianTimePast !== undefined && medianTimePast < last.schedule.quietFromMtp;
    if (!isFar || waitedMs < this.policy.checkpoint.awaitTowerMs) {
      return { kind: 'wait', seconds: LOOK_SECONDS.acknowledgement };
    }
    this.logger.warn(
      { channelId: row.id, txid: last.txid, waitedMs },
      'the tower does not acknowledge: settled without',
    );
    return settle(last.k, { txid: last.txid, bytes: last.raw });
  }
}

/** Whether a stored checkpoint is the settlement of the frozen k: one whose row is corrupt is made anew. */
function settlesLast({ k, txid, raw }: StoredCheckpoint, row: ChannelRow, channel: ChannelParameters): boolean {
  if (k !== row.k || decodeTransaction(raw)?.getId() !== txid) return false;
  return settledPayment(raw, channel) === Number(k);
}

function settle(k: bigint, transaction: RawTransaction | null): Chosen {
  return transaction === null ? { kind: 'unsigned' } : { kind: 'settle', k, transaction };
}
