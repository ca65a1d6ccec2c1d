import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ACCOUNTS } from '@seedfleet/books';
import { PrismaClient } from '@seedfleet/persistence';
import { Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { DATABASE } from '../tokens.js';
import { readBalances, reconcile, reconcileRunning, type Difference } from './reconcile.js';

const EVERY_MS = 60_000;
/** How often all entries are summed anew: a changed entry that was rolled up already shows only then. */
const RECOUNT_EVERY_MS = 3_600_000;
/** Reading the books takes longer as they grow: at most one part in twenty of the time is spent on it. */
const PAUSE_PER_WORK = 20;
/** Channel and chain agree within seconds while both services run. */
const GRACE_SECONDS = 60;

/**
 * Reconciles the books with channels and chain every minute, and recounts them entry by entry at the start, every hour, and
 * for as long as that finds something. Differences are logged once each and shown as metrics.
 */
@Injectable()
export class BooksWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly differences: Gauge;
  private readonly balances: Gauge<'account'>;
  private readonly reconciledAt: Gauge;
  private readonly recountedAt: Gauge;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private known: ReadonlySet<string> = new Set();
  /** When the next recount is due, by `performance.now()`. */
  private recountFromMs = 0;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    const registers = [registry];
    this.differences = new Gauge({
      name: 'seedfleet_books_differences',
      help: 'Differences between books, channels and chain; 0 when all agree to the satoshi',
      registers,
    });
    this.balances = new Gauge({
      name: 'seedfleet_books_balance_satoshi',
      help: 'What an account of the books holds over all channels; revenue is negative',
      labelNames: ['account'],
      registers,
    });
    this.reconciledAt = new Gauge({
      name: 'seedfleet_books_reconciled_timestamp_seconds',
      help: 'When the books were last reconciled, whatever was found',
      registers,
    });
    this.recountedAt = new Gauge({
      name: 'seedfleet_books_recounted_timestamp_seconds',
      help: 'When all entries of the books were last summed anew, whatever was found',
      registers,
    });
  }

  onApplicationBootstrap(): void {
    this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private look(): void {
    const startedAt = performance.now();
    this.running = this.reconcile()
      .catch((failure: unknown) => this.logger.error({ failure: String(failure) }, 'the books can not be reconciled'))
      .finally(() => {
        if (this.stopped) return;
        const tookMs = performance.now() - startedAt;
        this.timer = setTimeout(() => this.look(), Math.max(EVERY_MS, tookMs * PAUSE_PER_WORK));
      });
  }

  private async reconcile(): Promise<void> {
    const found = await this.find();
    const balances = await readBalances(this.prisma);
    this.report(found);
    this.differences.set(found.length);
    for (const account of ACCOUNTS) this.balances.set({ account }, Number(balances.get(account) ?? 0n));
    this.reconciledAt.set(Date.now() / 1_000);
  }

  private async find(): Promise<readonly Difference[]> {
    const startedAt = performance.now();
    if (startedAt < this.recountFromMs) return reconcileRunning(this.prisma, GRACE_SECONDS);
    const byEntries = await reconcile(this.prisma, GRACE_SECONDS);
    this.recountedAt.set(Date.now() / 1_000);
    // The running balances are held against the same channels, so where both agree with these they are the same.
    const found = byEntries.length > 0 ? byEntries : await reconcileRunning(this.prisma, GRACE_SECONDS);
    const tookMs = performance.now() - startedAt;
    this.recountFromMs = found.length > 0 ? 0 : startedAt + Math.max(RECOUNT_EVERY_MS, tookMs * PAUSE_PER_WORK);
    return found;
  }

  /** Each difference is logged when it appears, and the end of all of them. */
  private report(found: readonly Difference[]): void {
    const now = new Map(found.map((difference) => [JSON.stringify(asText(difference)), difference]));
    for (const [key, difference] of now) {
      if (!this.known.has(key)) this.logger.error(asText(difference), 'the books differ');
    }
    if (now.size === 0 && this.known.size > 0) this.logger.info({}, 'the books agree again');
    this.known = new Set(now.keys());
  }
}

/** Satoshi as decimal strings. */
function asText(difference: Difference): Record<string, string | null> {
  const { expectedSat, actualSat, ...rest } = difference;
  return { ...rest, expectedSat: expectedSat?.toString() ?? null, actualSat: actualSat?.toString() ?? null };
}
