import 'reflect-metadata';
import { createDatabase, type PrismaClient } from '@seedfleet/persistence';
import { redisTls, runService, type HealthRegistry, type Logger } from '@seedfleet/service-kit';
import { admissionLimits } from './admission/limits.js';
import { ApiKeyRepository } from './access/api-key.repository.js';
import { ensureFirstKey } from './access/first-key.js';
import { marketApiConfig } from './configuration.js';
import { configureHttp } from './http/configure.js';
import { MarketApiModule } from './market-api.module.js';

/** Connections to Postgres; two cores serve no more at once. */
const POOL_SIZE = 16;

await runService({
  name: 'market-api',
  config: marketApiConfig,
  module: async ({ config, logger, health }) => {
    const database = createDatabase(config.DATABASE_URL, POOL_SIZE, { prepared: true });
    const { prisma } = database;
    await reachDatabase(prisma, config.DATABASE_URL);
    registerHealth(health, prisma);
    await prepareFirstKey(prisma, config.API_KEY_FILE, logger);
    const { SEEDFLEET_NETWORK: network, FLEET_ID: fleetId, REDIS_URL: redisUrl, WEBHOOK_NETWORKS: networks } = config;
    return MarketApiModule.with(
      database,
      { network, fleetId },
      { redisUrl, redisTls: redisTls(config), fleetId, networks },
      config.CONTENT_ROOTS,
    );
  },
  configure: (app, { logger, config }) =>
    configureHttp(app, logger, {
      trustedProxies: config.TRUSTED_PROXIES,
      admission: admissionLimits(config.MAX_REQUESTS, config.MAX_WAITING_REQUESTS),
    }),
});

async function reachDatabase(prisma: PrismaClient, url: string): Promise<void> {
  try {
    await prisma.apiKey.count();
  } catch (failure) {
    const { host, pathname } = new URL(url);
    const why = failure instanceof Error ? failure.message.trim().split('\n').at(-1) : String(failure);
    throw new Error(`the database ${pathname.slice(1)} at ${host} can't be used: ${why}`);
  }
}

function registerHealth(health: HealthRegistry, prisma: PrismaClient): void {
  health.register({
    name: 'postgres',
    check: async () => {
      await prisma.$queryRaw`SELECT 1`;
      return null;
    },
  });
}

async function prepareFirstKey(prisma: PrismaClient, path: string, logger: Logger): Promise<void> {
  const outcome = await ensureFirstKey(new ApiKeyRepository(prisma), path);
  if (outcome === 'stale') logger.warn({ path }, 'API_KEY_FILE does not hold an active key of this database');
  else logger.info({ path, outcome }, 'administrator key');
}
