import { Inject, Injectable } from '@nestjs/common';
import { maturityMtp } from '@seedfleet/channel-lifecycle';
import {
  decodeTransaction,
  type ChannelParameters,
  type Ecdsa,
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
import { CONFIG, DATABASE, ECDSA, NETWORK, POLICY } from '../tokens.js';
import { sent, settle, type Chosen, type Found, type Known } from './chosen.js';
import {
  checkpointFiled,
  newestCheckpoint,
  storeCheckpoint,
  type Checkpoint,
  type StoredCheckpoint,
} from './checkpoint-repository.js';
import { HeldOrders } from './held-orders.js';
import type { ProvenPayment } from './held-payment.js';
import { paymentIn, settledPayment } from './settled-payment.js';
import { scheduleOf, type OrderSchedule } from './order-schedule.js';
import { orderVerdict, type HeldOrder, type Standing } from './order-verdict.js';
import { isWaitedFor } from './patience.js';

/** Looks while something is awaited, seconds. */
const LOOK_SECONDS = { unreachable: 5, acknowledgement: 1, patience: 10, filedAbove: 0 } as const;

/** Why a channel waits with a settlement that could be signed. */
export const ORDER_AWAITED = 'order-awaited';

/** Signs the settlement of a payment; null where it can't be, which is noted. */
type Sign = (payment: ProvenPayment | null) => Promise<RawTransaction | null>;

/**
 * Sees to it that no two settlements of a channel are sent. Checkpoints of it may be with others, to be sent at a date; so
 * the last settlement takes their place first, is acknowledged by whoever holds them, and only then is ours to send. What
 * was sent already, or stands on the chain, is the settlement: what it falls short of the last payment is lost, and where it
 * settles a later one, which a database that was brought back from a copy does not know, it brings that payment along. So does
 * a later one that is only held: it is signed anew, and takes the place of all others as the last settlement does.
 */
@Injectable()
export class SettlementOrder {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(HeldOrders) private readonly held: HeldOrders,
    @Inject(ECDSA) private readonly ecdsa: Ecdsa,
    @Inject(CONFIG) private readonly config: ChannelServiceConfig,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @param earns whether something of the settlement is ours: where nothing is, nothing was filed to be sent by others
   * @param sign signs the settlement of the frozen k where it is told no other payment
   */
  async choose(row: ChannelRow, channel: ChannelParameters, earns: boolean, sign: Sign): Promise<Chosen> {
    const { fundingTxid, fundingVout } = row;
    if (fundingTxid === null || fundingVout === null) return settle(row.k, await sign(null));
    const output = await this.chain.output(fundingTxid, fundingVout);
    const onChain = output.ok ? await this.onChain(output.value, channel) : null;
    if (onChain !== null) return onChain;
    const newest = await newestCheckpoint(this.prisma, row.id);
    const mayBeHeld = earns && (newest !== null || (this.config.TOWER && row.deadlineMtp !== null));
    let later: ProvenPayment | null = null;
    if (!mayBeHeld && !this.settlesLater(newest, row, channel)) {
      const known = await this.knownElsewhere(row, channel, output.ok ? output.value : null);
      if (known?.kind === 'wait') return known;
      if (known === null) return settle(row.k, await sign(null));
      later = known.payment;
    }
    if (!output.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    const schedule = this.scheduleFor(row, output.value) ?? newest?.schedule;
    if (schedule === undefined) return settle(later?.k ?? row.k, await sign(later));
    // Others may hold one whose dates are corrupt here; they are told again once the output is in a block.
    if (schedule === null) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    const filed = await this.inPlaceOf(row, channel, { newest, later, schedule }, sign);
    if (filed === null) return { kind: 'unsigned' };
    return this.file(row, channel, filed, { txid: fundingTxid, vout: fundingVout }, sign);
  }

  /**
   * Whether a channel of which nothing is to be settled by what is stored here has a settlement all the same: on the chain,
   * or held by others. Null where it has none; one that is to be settled has to be chosen.
   */
  async elsewhere(row: ChannelRow): Promise<{ readonly kind: 'wait'; readonly seconds: number } | 'settle' | null> {
    const channel = channelParameters(row, this.network);
    if (channel === null || row.fundingTxid === null || row.fundingVout === null) return null;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!output.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    const onChain = await this.onChain(output.value, channel);
    if (onChain !== null) return onChain.kind === 'wait' ? onChain : 'settle';
    if (this.settlesLater(await newestCheckpoint(this.prisma, row.id), row, channel)) return 'settle';
    const known = await this.knownElsewhere(row, channel, output.value);
    return known?.kind === 'wait' ? known : known && 'settle';
  }

  /**
   * A later payment that only others know, where nothing was filed from here: they are asked. The tower has its time to
   * answer, and a fleet whose tower is silent for longer goes on; not while the tower may know more, and has its own times
   * to send it still before it: there is nothing else to be had from the channel.
   */
  private async knownElsewhere(
    row: ChannelRow,
    channel: ChannelParameters,
    output: ChainOutput | null,
  ): Promise<Known | null> {
    const reply = await this.chain.order(row.id);
    // Without a tower nobody sends meanwhile: what is paid is signed and stored whether chain-watcher answers or not.
    if (!reply.ok) return this.config.TOWER ? { kind: 'wait', seconds: LOOK_SECONDS.unreachable } : null;
    const payment = this.held.later(row, channel, row.k, reply.value);
    if (payment !== null) return { kind: 'later', payment };
    const waitedMs = Date.now() - row.stateEnteredAt.getTime();
    if (reply.value.isTowerHeard) return null;
    if (waitedMs < this.policy.checkpoint.awaitTowerMs) return { kind: 'wait', seconds: LOOK_SECONDS.acknowledgement };
    const untilMtp = (output && this.scheduleFor(row, output)?.openFromMtp) ?? row.deadlineMtp;
    const isAwaited = isWaitedFor(row, reply.value, untilMtp, this.medianTimePast);
    return isAwaited ? { kind: 'wait', seconds: LOOK_SECONDS.patience } : null;
  }

  /** A settlement that spends the funding output, in a block or in the mempool. Null where none does. */
  private async onChain(output: ChainOutput, channel: ChannelParameters): Promise<Found | null> {
    if (!output.found || output.spentBy === null) return null;
    const { txid } = output.spentBy;
    for (const vout of [1, 0]) {
      const spender = await this.chain.output(txid, vout);
      if (!spender.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
      if (!spender.value.found) continue;
      const k = settledPayment(spender.value.raw, channel);
      return k === null ? null : sent(BigInt(k), { txid, bytes: spender.value.raw });
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
    {
      newest,
      later,
      schedule,
    }: { newest: StoredCheckpoint | null; later: ProvenPayment | null; schedule: OrderSchedule },
    sign: Sign,
  ): Promise<Checkpoint | null> {
    const isSigned = later === null && newest !== null && this.settlesLast(newest, row, channel);
    if (isSigned && newest.isLast) return { ...newest, schedule: newest.schedule ?? schedule };
    const signed = isSigned ? { txid: newest.txid, bytes: newest.raw } : await sign(later);
    if (signed === null) return null;
    // Also where it was filed before: who holds more than this database knows says so when it is asked for a new version.
    const last: Checkpoint = {
      channelId: row.id,
      version: (newest?.version ?? 0) + 1,
      k: isSigned ? newest.k : (later?.k ?? row.k),
      txid: signed.txid,
      raw: new Uint8Array(signed.bytes),
      schedule,
      isLast: true,
    };
    faultPoint('settler.checkpoint.before-store');
    await storeCheckpoint(this.prisma, last);
    faultPoint('settler.checkpoint.after-store');
    if (later !== null) this.held.adopted(row, later);
    return last;
  }

  private async file(
    row: ChannelRow,
    channel: ChannelParameters,
    last: Checkpoint,
    output: { readonly txid: string; readonly vout: number },
    sign: Sign,
  ): Promise<Chosen> {
    const { version, txid, raw, schedule } = last;
    const order = { id: row.id, txid, raw, label: settlementLabel(row.id), output, schedule };
    const reply = await this.chain.fileOrder({ ...order, version, givesUp: null });
    if (!reply.ok) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable };
    faultPoint('settler.order.after-reply');
    const { fleet, tower } = reply.value;
    const isSent = (holder: 'fleet' | 'tower', held: HeldOrder | null): boolean =>
      Boolean(held?.sent && (held.sent.txid === txid || this.held.isSettlement(row, channel, holder, held.sent)));
    const later =
      isSent('fleet', fleet) || isSent('tower', tower) ? null : this.held.later(row, channel, last.k, reply.value);
    if (later !== null)
      return this.adopt(row, last, later, Math.max(version, fleet?.version ?? 0, tower?.version ?? 0), sign);
    const givesUp = this.held.worthless(row, channel, last, reply.value, !this.hasWaited(row));
    if (givesUp !== null) {
      // Kept because it seems to pay more, and it proves nothing: a higher version says that it may go.
      const above = { ...last, version: Math.max(version, fleet?.version ?? 0, tower?.version ?? 0) + 1 };
      await storeCheckpoint(this.prisma, above);
      await this.chain.fileOrder({ ...order, version: above.version, givesUp });
      return { kind: 'wait', seconds: LOOK_SECONDS.acknowledgement };
    }
    // What our own node saw spend the output is the buyer's: nothing is to be waited for any more.
    if (fleet?.sent && !isSent('fleet', fleet)) return settle(last.k, { txid, bytes: raw });
    // A tower that says it sent what settles nothing is as good as one that is not heard.
    const heard = tower?.sent && !isSent('tower', tower) ? null : tower;
    const verdict = orderVerdict(last, { fleet, tower: heard }, this.config.TOWER);
    switch (verdict.kind) {
      case 'go':
        await checkpointFiled(this.prisma, row.id, version);
        return settle(last.k, { txid, bytes: raw });
      case 'sent':
        return this.sent(row, channel, verdict.sent);
      case 'file-above':
        // A tower that always holds one more than it is told has its time, and then no say.
        if (fleet?.txid === txid && fleet.version === version && this.hasWaited(row))
          return this.withoutTower(row, last, reply.value);
        await storeCheckpoint(this.prisma, { ...last, version: verdict.version + 1 });
        return { kind: 'wait', seconds: LOOK_SECONDS.filedAbove };
      case 'unacknowledged':
        return this.withoutTower(row, last, reply.value);
    }
  }

  /** Others hold the settlement of a later payment: that is the last one, and filed in place of all that there are. */
  private async adopt(
    row: ChannelRow,
    last: Checkpoint,
    later: ProvenPayment,
    highest: number,
    sign: Sign,
  ): Promise<Chosen> {
    const signed = await sign(later);
    if (signed === null) return { kind: 'unsigned' };
    const { txid, bytes } = signed;
    await storeCheckpoint(this.prisma, { ...last, version: highest + 1, k: later.k, txid, raw: new Uint8Array(bytes) });
    faultPoint('settler.checkpoint.after-store');
    this.held.adopted(row, later);
    return { kind: 'wait', seconds: LOOK_SECONDS.filedAbove };
  }

  /** Somebody who held an order has sent it: also where our own node has not seen it, nothing else is sent from here on. */
  private sent(row: ChannelRow, channel: ChannelParameters, { txid, raw }: { txid: string; raw: Uint8Array | null }) {
    const k = raw === null ? null : settledPayment(raw, channel);
    if (raw === null || k === null) return { kind: 'wait', seconds: LOOK_SECONDS.unreachable } as const;
    this.logger.warn({ channelId: row.id, txid, k, lastK: row.k.toString() }, 'a dated order was sent: it settles');
    return sent(BigInt(k), { txid, bytes: raw });
  }

  /**
   * Whether a stored checkpoint is the settlement of the frozen k, or of a later payment that others knew: one whose row is
   * corrupt is made anew.
   */
  private settlesLast({ k, txid, raw }: StoredCheckpoint, row: ChannelRow, channel: ChannelParameters): boolean {
    if (k < row.k || decodeTransaction(raw)?.getId() !== txid || settledPayment(raw, channel) !== Number(k))
      return false;
    return k === row.k || paymentIn(raw, channel, Number(k), this.ecdsa) !== null;
  }

  /** Whether a later payment than the frozen one was taken over already, and is to be settled. */
  private settlesLater(newest: StoredCheckpoint | null, row: ChannelRow, channel: ChannelParameters): boolean {
    return newest !== null && newest.k > row.k && this.settlesLast(newest, row, channel);
  }

  /** Whether the tower had its time to acknowledge the last settlement. */
  private hasWaited({ stateReason, stateEnteredAt }: ChannelRow): boolean {
    return (
      stateReason === ORDER_AWAITED && Date.now() - stateEnteredAt.getTime() >= this.policy.checkpoint.awaitTowerMs
    );
  }

  /**
   * The tower looks at the chain before it sends, and sends nothing before half the margin. So while that is far, a
   * settlement that it has not acknowledged is safe to send; later it is chain-watcher that sends it, in its own time. A
   * tower that may know more has until the margin begins: nobody else can spend the output before its end.
   */
  private withoutTower(row: ChannelRow, last: Checkpoint, standing: Standing): Chosen {
    const { medianTimePast } = this;
    const isFar = medianTimePast !== undefined && medianTimePast < last.schedule.quietFromMtp;
    if (!isFar || !this.hasWaited(row)) return { kind: 'wait', seconds: LOOK_SECONDS.acknowledgement };
    if (isWaitedFor(row, standing, row.deadlineMtp, medianTimePast)) {
      return { kind: 'wait', seconds: LOOK_SECONDS.patience };
    }
    this.logger.warn({ channelId: row.id, txid: last.txid }, 'the tower does not acknowledge: settled without');
    return settle(last.k, { txid: last.txid, bytes: last.raw });
  }

  private get medianTimePast(): number | undefined {
    return this.status.current()?.tip.medianTimePast;
  }
}
