import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Bus, FleetNatsServer, type Service } from '@seedfleet/bus';
import {
  createDatabase,
  createPrismaClient,
  deployMigrations,
  deployRoles,
  type PrismaClient,
} from '@seedfleet/persistence';
import { createLogger, createRegistry, HealthRegistry, NestLogger, OperationsModule } from '@seedfleet/service-kit';
import type { AdmissionLimits } from '../admission/admission.js';
import { admissionLimits } from '../admission/limits.js';
import { ApiKeyRepository } from '../access/api-key.repository.js';
import { newApiKey } from '../access/key-text.js';
import { SCOPES, type Scope } from '../access/scope.js';
import { configureHttp } from '../http/configure.js';
import type { ContentRoot } from '../making/content-roots.js';
import { MarketApiModule } from '../market-api.module.js';

/** The service as it runs, on a database and a fleet id of its own. */
export interface RunningMarketApi {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly app: NestExpressApplication;
  /** A key with every scope. */
  readonly key: string;
  /** The database as its superuser: tests write what other services own. */
  readonly admin: PrismaClient;
  /** The database as this service's own role. */
  readonly own: PrismaClient;
  /** Messages the service's bus refused. */
  readonly refused: { code: string; subject: string }[];
  /** A connection of another service to the same fleet. */
  busOf(service: Service): Promise<Bus>;
  newKey(scopes: readonly Scope[]): Promise<string>;
  stop(): Promise<void>;
}

export interface MarketApiOptions {
  /** Without it nothing is delivered to webhooks. */
  readonly redisUrl?: string;
  readonly webhookNetworks?: readonly string[];
  readonly contentRoots?: readonly ContentRoot[];
  readonly admission?: AdmissionLimits;
}

export async function startMarketApi(
  postgresUrl: string,
  natsUrl: string,
  { redisUrl, webhookNetworks = [], contentRoots = [], admission = admissionLimits(32, 256) }: MarketApiOptions = {},
): Promise<RunningMarketApi> {
  const name = `market_${randomBytes(6).toString('hex')}`;
  const server = createPrismaClient(postgresUrl, 1);
  await server.$executeRawUnsafe(`CREATE DATABASE ${name}`);
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  await deployMigrations(url.href);
  const roles = await deployRoles(url.href, { chain: 'a', channel: 'b', market: 'c' });
  if (roles === null) throw new Error('the tests need a Postgres user that may create roles');

  const buses: Bus[] = [];
  const refused: RunningMarketApi['refused'] = [];
  const busOf = async (service: Service): Promise<Bus> => {
    const bus = await Bus.connect({
      natsUrl,
      fleetId: name.replace('_', '-'),
      service,
      instance: 'test',
      onRejected: (rejection) => refused.push(rejection),
    });
    buses.push(bus);
    return bus;
  };

  const admin = createPrismaClient(url.href, 2);
  // Prepared, as the service has it.
  const database = createDatabase(roles.market, 8, { prepared: true });
  const own = database.prisma;
  const logger = createLogger('market-api', 'fatal');
  const bus = await busOf('market-api');
  const identity = { network: 'regtest', fleetId: bus.options.fleetId };
  const webhooks = { redisUrl, fleetId: identity.fleetId, networks: webhookNetworks };
  const operations = { logger, registry: createRegistry('market-api'), health: new HealthRegistry(), bus };

  @Module({
    imports: [OperationsModule.with(operations), MarketApiModule.with(database, identity, webhooks, contentRoots)],
  })
  class Root {}
  const app = await NestFactory.create<NestExpressApplication>(Root, { logger: new NestLogger(logger) });
  configureHttp(app, logger, { admission });
  app.connectMicroservice({ strategy: new FleetNatsServer(bus) }, { inheritAppConfig: false });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');

  const newKey = async (scopes: readonly Scope[]): Promise<string> => {
    const { id, text, hash } = newApiKey();
    const fact = { actor: 'test', action: 'api-key.create', target: id };
    await app.get(ApiKeyRepository).add({ id, hash, name: 'test', scopes }, fact);
    return text;
  };

  return {
    url: `http://127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`,
    app,
    key: await newKey(SCOPES),
    admin,
    own,
    refused,
    busOf,
    newKey,
    stop: async () => {
      await app.close();
      await Promise.all(buses.map((each) => each.close()));
      await Promise.all([own.$disconnect(), admin.$disconnect()]);
      await server.$executeRawUnsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      for (const role of ['chain', 'channel', 'market']) {
        await server.$executeRawUnsafe(`DROP ROLE IF EXISTS "${name}_${role}"`);
      }
      await server.$disconnect();
    },
  };
}
