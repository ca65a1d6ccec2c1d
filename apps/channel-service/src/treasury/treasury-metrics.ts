import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { keepBack, type Policy } from '@seedfleet/policy';
import { Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { DATABASE, POLICY } from '../tokens.js';
import { readHoldings, spareCoins } from './holdings.js';

const EVERY_MS = 30_000;

/** Shows what lies on payout keys, and how many coins are ready for children. */
@Injectable()
export class TreasuryMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly balances: Gauge<'kind'>;
  private readonly coins: Gauge<'kind'>;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    const registers = [registry];
    this.balances = new Gauge({
      name: 'seedfleet_treasury_satoshi',
      help: 'hot: on payout keys now; swept: brought to the operator’s own wallet; fees: of children, sweeps and splits',
      labelNames: ['kind'],
      registers,
    });
    this.coins = new Gauge({
      name: 'seedfleet_treasury_coins',
      help: 'Final coins that nothing spends. kept: kept back for children, 20 are wanted; spare: the rest',
      labelNames: ['kind'],
      registers,
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.look(), EVERY_MS);
    this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private look(): void {
    this.running ??= this.read()
      .catch((failure: unknown) => this.logger.warn({ failure: String(failure) }, 'the treasury can not be read'))
      .finally(() => {
        this.running = undefined;
      });
  }

  private async read(): Promise<void> {
    const { hotSat, sweptSat, feesSat } = await readHoldings(this.prisma);
    const spare = await spareCoins(this.prisma, this.policy.burial.finalConfirmations);
    const { kept, rest } = keepBack(spare, this.policy);
    this.balances.set({ kind: 'hot' }, Number(hotSat));
    this.balances.set({ kind: 'swept' }, Number(sweptSat));
    this.balances.set({ kind: 'fees' }, Number(feesSat));
    // Where children help nothing, none are kept, and nobody is to be told that they are few.
    if (this.policy.child.minTreasuryCoins > 0) this.coins.set({ kind: 'kept' }, kept.length);
    this.coins.set({ kind: 'spare' }, rest.length);
  }
}
