import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { Database } from '../channels/database.js';
import { DATABASE } from '../tokens.js';

/** Reports add what waits, so a pause costs them speed and nothing else. */
const EVERY_MS = 5_000;
/** Postings per statement: seconds at most. The more at once, the more of them fall into one sum. */
const BATCH = 20_000;

/** Keeps the roll-ups of the books close behind the books, so that reports need not sum up all entries. */
@Injectable()
export class BooksRollUp implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly rolledUpAt: Gauge;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private failing = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.rolledUpAt = new Gauge({
      name: 'seedfleet_books_rolled_up_timestamp_seconds',
      help: 'When the roll-ups of the books last held every posting of that moment',
      registers: [registry],
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
    this.running = this.catchUp()
      .then(() => {
        this.failing = false;
      })
      .catch((failure: unknown) => {
        // One line per outage.
        if (!this.failing) this.logger.error({ failure: String(failure) }, 'the books can not be rolled up');
        this.failing = true;
      })
      .finally(() => {
        if (!this.stopped) this.timer = setTimeout(() => this.look(), EVERY_MS);
      });
  }

  private async catchUp(): Promise<void> {
    while (!this.stopped) {
      if ((await rollUpBooks(this.prisma, BATCH)) < BATCH) {
        this.rolledUpAt.set(Date.now() / 1_000);
        return;
      }
    }
  }
}

/** Adds at most this many postings to the roll-ups; how many there were. Several may do so at once. */
export async function rollUpBooks(database: Database, maxPostings: number): Promise<number> {
  const rows = await database.$queryRaw<{ count: number }[]>`
    SELECT "channel"."roll_up_books"(${maxPostings}::int) AS "count"`;
  return rows[0]?.count ?? 0;
}
