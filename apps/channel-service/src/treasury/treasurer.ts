import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { planTreasury, type Policy, type TreasuryPlan } from '@seedfleet/policy';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { ChainClient } from '../chain/chain-client.js';
import { ChainStatus, feeEstimates } from '../chain/chain-status.js';
import type { ChannelServiceConfig } from '../config.js';
import type { CoinOrder, Signer } from '../keys/signer.js';
import { CONFIG, DATABASE, POLICY, SIGNER } from '../tokens.js';
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
}

/** Sweeps what was earned to the operator's own wallet as policy says, and keeps coins ready for children. */
@Injectable()
export class Treasurer implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  /** One at a time, whoever asks: two would choose the same coins, and one would fail. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(CONFIG) private readonly config: ChannelServiceConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.look(), EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.last;
  }

  get destination(): string | null {
    return this.config.TREASURY_ADDRESS ?? null;
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
      return plan.kind === 'none' || dryRun ? { plan, txid: null } : { plan, txid: await this.send(plan) };
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

  private async send(plan: Exclude<Plan, { kind: 'none' }>): Promise<string | null> {
    const { kind, why, coins, feeSat } = plan;
    const [first] = coins;
    if (first === undefined) return null;
    faultPoint('settler.sweep.before-sign');
    const order = { coins: coins.map(asOrder), feeSat };
    const valueSat = this.policy.child.treasuryCoinSat;
    const signed =
      plan.kind === 'split'
        ? await this.signer.signSplit({ ...order, count: plan.count, valueSat })
        : await this.signer.signSweep(order);
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
      destination: kind === 'sweep' ? this.destination : null,
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
    return made.txid;
  }
}

const asOrder = (coin: SpareTreasuryCoin): CoinOrder => ({
  path: { epoch: coin.keyEpoch, index: coin.keyIndex },
  transaction: coin.raw,
  vout: coin.vout,
});
