import { Prisma, type PrismaClient } from './client.js';

/** What is removed of one table. */
export interface RetentionRule {
  /** Label of the metric: the table, or the kind of its rows. */
  readonly name: string;
  /** Removes, or reduces, at most `limit` rows that are past their time, in one short statement; how many it were. */
  readonly remove: (tx: Prisma.TransactionClient, limit: number) => Promise<number>;
}

export interface RetentionOptions {
  /** Schema whose rows these are: processes of one owner take turns. */
  readonly owner: 'chain' | 'channel' | 'market';
  readonly rules: readonly RetentionRule[];
  readonly onRemoved: (rule: string, rows: number) => void;
  /** A whole round found nothing more to remove. */
  readonly onDone: () => void;
  readonly onFailure: (rule: string, failure: unknown) => void;
}

/** Nothing here is urgent; often enough that a round stays small. */
const EVERY_MS = 10 * 60_000;
/** The start has other things to do. */
const FIRST_AFTER_MS = 60_000;
/** Locks of a batch last some milliseconds. */
const BATCH_ROWS = 1_000;
/** Per rule and round; what is left waits for the next round. */
const MAX_BATCHES = 100;

/**
 * Removes what is past its time, in batches, each in a transaction of its own under an advisory lock: so one process of an
 * owner does it at a time, and none that died keeps others from it.
 */
export class Retention {
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly prisma: PrismaClient,
    private readonly options: RetentionOptions,
  ) {}

  start(): void {
    this.schedule(FIRST_AFTER_MS);
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  /** One round over all rules. A rule that fails does not keep the others from their work. */
  async run(): Promise<void> {
    let isDone = true;
    for (const rule of this.options.rules) {
      try {
        isDone = (await this.applyRule(rule)) && isDone;
      } catch (failure) {
        isDone = false;
        this.options.onFailure(rule.name, failure);
      }
    }
    if (isDone) this.options.onDone();
  }

  /** Whether nothing is left to remove. */
  private async applyRule(rule: RetentionRule): Promise<boolean> {
    for (let batch = 0; batch < MAX_BATCHES && !this.stopped; batch += 1) {
      const rows = await this.applyBatch(rule);
      if (rows === null) return false;
      if (rows > 0) this.options.onRemoved(rule.name, rows);
      if (rows < BATCH_ROWS) return true;
    }
    return false;
  }

  /** Null where another process is at it. */
  private applyBatch(rule: RetentionRule): Promise<number | null> {
    return this.prisma.$transaction(
      async (tx) => {
        const [lock] = await tx.$queryRaw<{ got: boolean }[]>`
          SELECT pg_try_advisory_xact_lock(hashtext(${`retention:${this.options.owner}`})) AS got`;
        return lock?.got === true ? rule.remove(tx, BATCH_ROWS) : null;
      },
      { timeout: 60_000, maxWait: 5_000 },
    );
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.round = this.run().finally(() => this.schedule(EVERY_MS));
    }, afterMs);
  }
}

/** The moment before which rows kept for so long are past their time, by the database's clock. */
export function keptSince(ms: number): Prisma.Sql {
  return Prisma.sql`(now() - ${intervalOf(ms)})`;
}

export function intervalOf(ms: number): Prisma.Sql {
  return Prisma.sql`make_interval(secs => ${ms / 1_000}::float8)`;
}

/** Sent messages of an owner's outbox. */
export function sentMessages(owner: 'chain' | 'channel', keptMs: number): RetentionRule {
  const table = Prisma.raw(`"${owner}"."outbox"`);
  return {
    name: 'outbox',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM ${table} WHERE "id" IN (
        SELECT "id" FROM ${table} WHERE "sentAt" < ${keptSince(keptMs)} ORDER BY "sentAt" LIMIT ${limit})`,
  };
}
