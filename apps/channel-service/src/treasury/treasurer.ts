import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { planTreasury, type Policy, type TreasuryPlan } from '@seedfleet/policy';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { ChainClient } from '../chain/chain-client.js';
import { ChainStatus, feeEstimates } from '../chain/chain-status.js';
import { checkedDestination, type ChannelServiceConfig } from '../config.js';
import type { Destination } from '../keys/destination.js';
import type { CoinOrder, Signer } from '../keys/signer.js';
import { CONFIG, DATABASE, POLICY, SIGNER } from '../tokens.js';
import { nextColdAddress, noteDestination, reserveColdAddress, type ColdAddress } from './cold-addresses.js';
import { readHoldings, spareCoins, type SpareTreasuryCoin } from './holdings.js';
import { storeTreasury, treasuryLabel } from './treasury-repository.js';
import type { NewTreasury } from './treasury-row.js';

const EVERY_MS = 60_000;

export type Plan = TreasuryPlan<SpareTreasuryCoin>;

/** What a look at the treasury came to. */
export interface Outcome {
  readonly plan: Plan;
  /** Null where nothing was sent. */
  readonly txid: string | null;
  /** Where the sweep goes, or would go; null where there is none. */
  readonly address: string | null;
}

/** Sweeps what was earned to the operator's own wallet as policy says, and keeps coins ready for children. */
@Injectable()
export class Treasurer implements OnApplicationBootstrap, OnApplicationShutdown {
  /** The operator's own wallet; null where none is configured. */
  readonly destination: Destination | null;
  private timer: NodeJS.Timeout | undefined;
  /** One at a time, whoever asks: two would choose the same coins, and one would fail. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(CONFIG) config: ChannelServiceConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.destination = checkedDestination(config);
  }

  async onApplicationBootstrap(): Promise<void> {
    const before = await noteDestination(this.prisma, this.destination);
    if (before !== null) {
      this.logger.warn(
        { before, now: this.destination?.label ?? 'nowhere' },
        'earnings are swept elsewhere from now on',
      );
    }
    this.timer = setInterval(() => void this.look(), EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.last;
  }

  /** Where the next sweep goes; null where nothing is swept. */
  async nextAddress(): Promise<string | null> {
    const { destination } = this;
    return destination === null ? null : ((await nextColdAddress(this.prisma, destination))?.address ?? null);
  }

  /** What would be done now. Null while the chain's state is not known. */
  async plan(byHand: boolean): Promise<Plan | null> {
    const report = this.status.current();
    if (report === null) return null;
    const { hotSat, dayRevenueSat } = await readHoldings(this.prisma);
    const situation = {
      coins: await spareCoins(this.prisma, this.policy.burial.finalConfirmations),
      hotSat,
      dayRevenueSat,
      mempoolMinimumSatPerKvb: report.feeRates.mempoolMinimumSatPerKvb,
      hasDestination: this.destination !== null,
      byHand,
    };
    return planTreasury(situation, feeEstimates(report), this.policy);
  }

  /** Does what is to be done now; a dry run stops before it signs. Rejects while the chain's state is not known. */
  act({ byHand, dryRun }: { readonly byHand: boolean; readonly dryRun: boolean }): Promise<Outcome> {
    const done = this.last.then(async (): Promise<Outcome> => {
      const plan = await this.plan(byHand);
      if (plan === null) throw new Error('the state of the chain is not known');
      const address = await this.nextAddress();
      if (plan.kind === 'none' || dryRun) return { plan, txid: null, address };
      return { plan, ...((await this.send(plan)) ?? { txid: null, address }) };
    });
    this.last = done.catch(() => undefined);
    return done;
  }

  private async look(): Promise<void> {
    if (this.destination === null || this.status.current() === null) return;
    await this.act({ byHand: false, dryRun: false }).catch((failure: unknown) => {
      this.logger.error({ failure: String(failure) }, 'the treasury can not be looked after');
    });
  }

  private async send(
    plan: Exclude<Plan, { kind: 'none' }>,
  ): Promise<{ readonly txid: string; readonly address: string | null } | null> {
    const { kind, why, coins, feeSat } = plan;
    const [first] = coins;
    if (first === undefined) return null;
    // Set aside before anything is signed: two sweeps to one address would show that they are one owner's.
    const cold =
      kind === 'sweep' && this.destination !== null ? await reserveColdAddress(this.prisma, this.destination) : null;
    if (kind === 'sweep' && cold === null) {
      this.logger.error('the wallet that earnings are swept to has no address left');
      return null;
    }
    faultPoint('settler.sweep.before-sign');
    const order = { coins: coins.map(asOrder), feeSat };
    const valueSat = this.policy.child.treasuryCoinSat;
    const signed =
      plan.kind === 'split'
        ? await this.signer.signSplit({ ...order, count: plan.count, valueSat })
        : await this.signer.signSweep({ ...order, index: cold?.index ?? null });
    if (!signed.ok) {
      this.logger.error({ kind, code: signed.code }, 'the treasury can not be signed for');
      return null;
    }
    const { keyEpoch, keyIndex } = first;
    const own = signed.outputsSat.map((sat, vout) => ({ vout, valueSat: sat, keyEpoch, keyIndex }));
    const made: NewTreasury = {
      txid: signed.transaction.txid,
      kind,
      channelId: null,
      raw: signed.transaction.bytes,
      inputSat: signed.inputSat,
      feeSat,
      virtualBytes: signed.transaction.bytes.length,
      destination: cold?.address ?? null,
      address: usedUp(this.destination, cold),
      reason: why,
      replaces: null,
      madeAtHeight: this.status.current()?.tip.height ?? 0,
      spends: coins,
      makes: kind === 'split' ? own : [],
    };
    faultPoint('settler.sweep.before-store');
    if (!(await storeTreasury(this.prisma, made))) return null;
    faultPoint('settler.sweep.after-store');
    this.logger.info(
      { txid: made.txid, kind, why, inputs: coins.length, inputSat: String(made.inputSat), feeSat: String(feeSat) },
      'treasury transaction stored',
    );
    // Where that fails, the follower hands it over.
    await this.chain.broadcast(made.txid, made.raw, treasuryLabel(kind));
    faultPoint('settler.sweep.after-reply');
    return { txid: made.txid, address: made.destination };
  }
}

/** Which address of an account a sweep uses up. */
function usedUp(destination: Destination | null, cold: ColdAddress | null): NewTreasury['address'] {
  const index = cold?.index ?? null;
  return destination === null || index === null ? null : { wallet: destination.id, index };
}

const asOrder = (coin: SpareTreasuryCoin): CoinOrder => ({
  path: { epoch: coin.keyEpoch, index: coin.keyIndex },
  transaction: coin.raw,
  vout: coin.vout,
});
