import { Inject, Injectable } from '@nestjs/common';
import { safeBlocks } from '@seedfleet/channel-lifecycle';
import { netSat, type Network } from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import { childrenHelp, planChild, type ChildPlan, type Policy } from '@seedfleet/policy';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { ChainClient } from '../chain/chain-client.js';
import { ChainStatus, feeEstimates } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { channelParameters } from '../channels/parameters.js';
import { SignerAway } from '../keys/signer-away.js';
import type { ChildOrder, SignedTreasury, Signer } from '../keys/signer.js';
import { DATABASE, NETWORK, POLICY, SIGNER } from '../tokens.js';
import { childOf, coinsSpentBy, freeCoins, isMined, storeTreasury } from '../treasury/treasury-repository.js';
import type { NewTreasury, TreasuryCoin, TreasuryRow } from '../treasury/treasury-row.js';
import { paysUs } from './settlement-progress.js';

/** A child that is stored, and whether it was made just now and so has to be handed over. */
export interface PreparedChild {
  readonly child: TreasuryRow | NewTreasury;
  readonly isNew: boolean;
}

/**
 * Makes the child that pays for a settlement where its frozen fee will not do. It spends our output of the settlement, so
 * whatever is done with the buyer's output can't keep both out; only the child is ever replaced, by one that pays more.
 */
@Injectable()
export class ChildPayer {
  private readonly made: Counter<'result'>;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.made = new Counter({
      name: 'seedfleet_settlement_children_total',
      help: 'Children that pay for their settlement, by why they were made, or why not',
      labelNames: ['result'],
      registers: [registry],
    });
    // The alert counts from here: the first one must show.
    this.made.inc({ result: 'unaffordable' }, 0);
  }

  /**
   * The child of a stored settlement that is not mined: the one on its way, a new one where it is needed, or null.
   * @param hasRival another transaction spends the funding output in the mempool.
   */
  async prepare(row: ChannelRow, hasRival: boolean): Promise<PreparedChild | null> {
    if (!childrenHelp(this.network) || !paysUs(row) || row.settlementTxid === null || row.settlementRaw === null)
      return null;
    const previous = await childOf(this.prisma, row.id);
    if (previous !== null && isMined(previous.state)) return null;
    const known = previous === null ? null : { child: previous, isNew: false };
    const planned = await this.plan(row, previous, hasRival);
    if (planned === null || planned.plan.kind === 'none') return known;
    const { plan, coins, tipHeight } = planned;
    if (plan.kind === 'unaffordable') {
      this.made.inc({ result: 'unaffordable' });
      const { id: channelId, settlementTxid } = row;
      this.logger.warn({ channelId, settlementTxid, reason: plan.reason }, 'a child can not be afforded');
      return known;
    }
    const made = await this.make(row, previous, plan, plan.withCoin ? coins : [], tipHeight);
    return made === null ? known : { child: made, isNew: true };
  }

  private async plan(
    row: ChannelRow,
    previous: TreasuryRow | null,
    hasRival: boolean,
  ): Promise<{ plan: ChildPlan; coins: readonly TreasuryCoin[]; tipHeight: number } | null> {
    const report = this.status.current();
    if (report === null || row.fundingTxid === null || row.fundingVout === null) return null;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!output.ok || !output.value.found) return null;
    const { fundingMtp } = output.value;
    const lock = { lockUnits: row.lockUnits, ...(fundingMtp === null ? {} : { fundingPreviousMtp: fundingMtp }) };
    const coins = await this.spareCoins(row, previous);
    const [coin] = coins;
    const plan = planChild(
      {
        netSat: netSat(Number(row.settledK ?? row.k), row.priceSat, row.settlementFeeSat),
        settlementFeeSat: row.settlementFeeSat,
        safeBlocks: safeBlocks(lock, report.tip.medianTimePast),
        tipHeight: report.tip.height,
        mempoolMinimumSatPerKvb: report.feeRates.mempoolMinimumSatPerKvb,
        hasRival,
        ...(coin === undefined ? {} : { coinSat: coin.valueSat }),
        ...(previous === null ? {} : { previous: { ...previous, virtualBytes: BigInt(previous.virtualBytes) } }),
      },
      feeEstimates(report),
      this.policy,
    );
    return { plan, coins, tipHeight: report.tip.height };
  }

  /** One coin that may be added: the one that the child on its way has, or the smallest that is free. */
  private async spareCoins(row: ChannelRow, previous: TreasuryRow | null): Promise<readonly TreasuryCoin[]> {
    const spent = previous === null ? [] : await coinsSpentBy(this.prisma, previous.txid);
    const kept = spent.filter(({ txid }) => txid !== row.settlementTxid);
    return kept.length > 0 ? kept : freeCoins(this.prisma, 1);
  }

  private async make(
    row: ChannelRow,
    previous: TreasuryRow | null,
    { feeSat, reason }: Extract<ChildPlan, { kind: 'child' }>,
    coins: readonly TreasuryCoin[],
    tipHeight: number,
  ): Promise<NewTreasury | null> {
    const { id: channelId, settlementTxid, settlementRaw, keyEpoch, keyIndex } = row;
    const channel = channelParameters(row, this.network);
    if (settlementTxid === null || settlementRaw === null || channel === null) return null;
    faultPoint('settler.child.before-sign');
    const signed = await this.sign({
      channel,
      settlement: { path: { epoch: keyEpoch, index: keyIndex }, transaction: settlementRaw, vout: 1 },
      coins: coins.map((coin) => ({
        path: { epoch: coin.keyEpoch, index: coin.keyIndex },
        transaction: coin.raw,
        vout: coin.vout,
      })),
      feeSat,
    });
    if (!signed.ok) {
      this.made.inc({ result: signed.code });
      const level = signed.code === 'signer-away' ? 'warn' : 'error';
      this.logger[level]({ channelId, settlementTxid, code: signed.code }, 'a child can not be signed');
      return null;
    }
    const { virtualBytes, coinVirtualBytes } = this.policy.child;
    const made: NewTreasury = {
      txid: signed.transaction.txid,
      kind: 'child',
      channelId,
      raw: signed.transaction.bytes,
      inputSat: signed.inputSat,
      feeSat,
      virtualBytes: Number(virtualBytes + coinVirtualBytes * BigInt(coins.length)),
      destination: null,
      address: null,
      reason,
      replaces: previous?.txid ?? null,
      madeAtHeight: tipHeight,
      spends: [{ txid: settlementTxid, vout: 1 }, ...coins],
      makes: signed.outputsSat.map((valueSat, vout) => ({ vout, valueSat, keyEpoch, keyIndex })),
    };
    faultPoint('settler.child.before-store');
    const stored = await storeTreasury(this.prisma, made);
    this.made.inc({ result: stored ? reason : 'coin-taken' });
    if (!stored) return null;
    faultPoint('settler.child.after-store');
    const { txid, replaces } = made;
    this.logger.info({ channelId, settlementTxid, txid, reason, feeSat: feeSat.toString(), replaces }, 'child stored');
    return made;
  }

  /** While the signer is away the settlement goes without its child, which is made at a later look. */
  private async sign(
    order: ChildOrder,
  ): Promise<SignedTreasury | { readonly ok: false; readonly code: 'signer-away' }> {
    try {
      return await this.signer.signChild(order);
    } catch (failure) {
      if (failure instanceof SignerAway) return { ok: false, code: failure.code };
      throw failure;
    }
  }
}
