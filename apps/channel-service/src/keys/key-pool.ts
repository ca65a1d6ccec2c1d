import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { toHex } from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import { faultPoint, Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { Database } from '../channels/database.js';
import { DATABASE, SIGNER } from '../tokens.js';
import { renewEpoch } from './key-epoch.js';
import type { PublicContractKey, Signer } from './signer.js';

/** Keys ready to be handed out: enough for a burst of joins while the settler is down for minutes. */
const POOL_KEYS = 500;
/** Keys made per statement: the first joins need not wait for the whole pool. */
const BATCH_KEYS = 50;
const CHECK_EVERY_MS = 2_000;

/** Derives public keys ahead of need, so that the intake can open channels without ever seeing a private one. */
@Injectable()
export class KeyPool implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly free: Gauge;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private failing = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.free = new Gauge({
      name: 'seedfleet_contract_keys_free',
      help: 'Contract keys derived and not yet handed out',
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    this.fill();
    this.timer = setInterval(() => this.fill(), CHECK_EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private fill(): void {
    this.running ??= fillPool(this.prisma, this.signer, POOL_KEYS, BATCH_KEYS)
      .then((free) => {
        this.failing = false;
        this.free.set(free);
      })
      .catch((failure: unknown) => {
        // One line per outage: a signer may be away for hours.
        if (!this.failing) this.logger.error({ failure: String(failure) }, 'contract keys can not be made');
        this.failing = true;
      })
      .finally(() => {
        this.running = undefined;
      });
  }
}

/**
 * Brings the pool of the newest epoch to its size. Several settlers may do so at once: an index that another one has
 * written is the same key. Returns how many keys are free.
 */
export async function fillPool(database: Database, signer: Signer, size: number, batch: number): Promise<number> {
  // The database may have been restored under a running settler.
  await renewEpoch(database, null);
  for (;;) {
    const rows = await database.$queryRaw<{ epoch: number; next: number; free: bigint }[]>`
      SELECT e."epoch",
        (SELECT coalesce(max("index") + 1, 0) FROM "channel"."contract_key" WHERE "epoch" = e."epoch")::int AS "next",
        (SELECT count(*) FROM "channel"."contract_key" WHERE "epoch" = e."epoch" AND "takenAt" IS NULL) AS "free"
      FROM "channel"."key_epoch" e ORDER BY e."epoch" DESC LIMIT 1`;
    const state = rows[0];
    if (state === undefined) throw new Error('no key epoch has begun');
    const missing = Math.min(batch, size - Number(state.free));
    if (missing <= 0) return Number(state.free);
    const keys: PublicContractKey[] = [];
    for (let place = 0; place < missing; place += 1) {
      keys.push(await signer.publicKey({ epoch: state.epoch, index: state.next + place }));
    }
    faultPoint('settler.keys.before-store');
    await database.$executeRaw`
      INSERT INTO "channel"."contract_key" ("epoch", "index", "publicKey", "payoutKeyHash")
      SELECT ${state.epoch}, "index", decode("publicKey", 'hex'), decode("payoutKeyHash", 'hex')
      FROM unnest(
        ${keys.map(({ index }) => index)}::int[], ${keys.map(({ publicKey }) => toHex(publicKey))}::text[],
        ${keys.map(({ payoutKeyHash }) => toHex(payoutKeyHash))}::text[]
      ) AS k("index", "publicKey", "payoutKeyHash")
      ON CONFLICT ("epoch", "index") DO NOTHING`;
    faultPoint('settler.keys.after-store');
  }
}
