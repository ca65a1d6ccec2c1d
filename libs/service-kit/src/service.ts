import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Bus, FleetNatsServer, type BusTls, type Service } from '@seedfleet/bus';
import type { z } from 'zod';
import { parseConfig, type CommonConfig } from './config.js';
import { HealthRegistry } from './health.js';
import { createLogger, NestLogger, type Logger } from './logging.js';
import { busRejections, createRegistry, type Registry } from './metrics.js';
import { OperationsModule } from './operations.module.js';

/** What a service's own part gets to build itself from. */
export interface ServiceParts<C> {
  readonly config: C;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly health: HealthRegistry;
  readonly bus: Bus;
}

export interface ServiceDefinition<S extends z.ZodType<CommonConfig>> {
  readonly name: Service;
  readonly config: S;
  /** Builds the root module. Rejecting stops the start with the message. */
  readonly module: (parts: ServiceParts<z.output<S>>) => DynamicModule | Promise<DynamicModule>;
  /** How long a stop may take before the process leaves anyhow. Default 20 s. */
  readonly stopTimeoutMs?: (config: z.output<S>) => number;
  /** Last touches on the HTTP application before it listens. */
  readonly configure?: (app: NestExpressApplication, parts: ServiceParts<z.output<S>>) => void | Promise<void>;
  /** Of a service of which one process works and others stand by for it. Until it works it answers /health and /metrics. */
  readonly standby?: (app: INestApplication) => Standby;
  /** Runs when everything listens; what it returns is added to READY_FILE. */
  readonly started?: (app: INestApplication, parts: ServiceParts<z.output<S>>) => Promise<Record<string, unknown>>;
}

/** A process that may have to wait for another one's end. */
export interface Standby {
  /** Resolves once it is known that another process works. READY_FILE is written then. */
  readonly waits: Promise<void>;
  /** Resolves once this one works: then requests are answered. Rejecting ends the process with the message. */
  readonly works: Promise<void>;
}

/** What a service that must live without a broker builds itself from. */
export interface LoneParts<C> extends Omit<ServiceParts<C>, 'bus'> {
  /** Tries to reach the broker, once. Rejects where it can't be reached. */
  readonly connect: () => Promise<Bus>;
}

export interface LoneDefinition<S extends z.ZodType<CommonConfig>> {
  readonly name: Service;
  readonly config: S;
  /** Builds the root module. Rejecting stops the start with the message. */
  readonly module: (parts: LoneParts<z.output<S>>) => DynamicModule | Promise<DynamicModule>;
}

const STOP_TIMEOUT_MS = 20_000;

/** Exit codes: 1 the service failed, 78 (EX_CONFIG of sysexits) its configuration is unusable. */
const EXIT_FAILED = 1;
const EXIT_CONFIG = 78;

/**
 * Runs one service until it is told to stop: configuration, logger, bus, HTTP with /health and /metrics, requests over
 * NATS, READY_FILE, and an orderly stop on SIGTERM and SIGINT. Never resolves; exits the process.
 */
export async function runService<S extends z.ZodType<CommonConfig>>(definition: ServiceDefinition<S>): Promise<void> {
  let logger = createLogger(definition.name, 'info');
  try {
    const config = parseConfig(definition.config, process.env);
    logger = createLogger(definition.name, config.LOG_LEVEL);
    const registry = createRegistry(definition.name);
    const health = new HealthRegistry();
    const bus = await connectBus(definition.name, config, logger, registry, health);
    const parts: ServiceParts<z.output<S>> = { config, logger, registry, health, bus };
    const root = await definition.module(parts);
    const app = await NestFactory.create<NestExpressApplication>(
      rootModule(root, OperationsModule.with({ logger, registry, health, bus })),
      { logger: new NestLogger(logger), abortOnError: false },
    );
    await definition.configure?.(app, parts);
    app.connectMicroservice({ strategy: new FleetNatsServer(bus) }, { inheritAppConfig: false });
    stopOnSignals(app, bus, logger, definition.stopTimeoutMs?.(config) ?? STOP_TIMEOUT_MS);
    const ready = async (): Promise<void> =>
      announce(app, config, logger, (await definition.started?.(app, parts)) ?? {});
    if (definition.standby === undefined) {
      await app.startAllMicroservices();
      await listen(app, config);
      await ready();
    } else {
      await listen(app, config);
      const { waits, works } = definition.standby(app);
      const standsBy = await Promise.race([works.then(() => false), waits.then(() => true)]);
      if (standsBy) await ready();
      await works;
      await app.startAllMicroservices();
      if (!standsBy) await ready();
    }
  } catch (failure) {
    giveUp(failure, logger);
  }
}

/**
 * Runs a service that has to start and work when no broker can be reached: it connects by itself, when it can. Otherwise as
 * `runService`; its health is its own.
 */
export async function runLoneService<S extends z.ZodType<CommonConfig>>(definition: LoneDefinition<S>): Promise<void> {
  let logger = createLogger(definition.name, 'info');
  try {
    const config = parseConfig(definition.config, process.env);
    logger = createLogger(definition.name, config.LOG_LEVEL);
    const registry = createRegistry(definition.name);
    const health = new HealthRegistry();
    const connect = brokerOf(definition.name, config, logger, registry);
    const root = await definition.module({ config, logger, registry, health, connect });
    const app = await NestFactory.create<NestExpressApplication>(
      rootModule(root, OperationsModule.with({ logger, registry, health })),
      { logger: new NestLogger(logger), abortOnError: false },
    );
    stopOnSignals(app, undefined, logger, STOP_TIMEOUT_MS);
    await listen(app, config);
    announce(app, config, logger, {});
  } catch (failure) {
    giveUp(failure, logger);
  }
}

function announce(app: INestApplication, config: CommonConfig, logger: Logger, extra: Record<string, unknown>): void {
  const httpPort = (app.getHttpServer().address() as { port: number }).port;
  logger.info({ httpPort, ...extra }, 'listening');
  if (config.READY_FILE !== undefined) writeReadyFile(config.READY_FILE, { httpPort, pid: process.pid, ...extra });
}

function giveUp(failure: unknown, logger: Logger): never {
  const error = failure instanceof Error ? failure : new Error(String(failure));
  const code = (error as { code?: unknown }).code;
  logger.fatal({ code, stack: error.stack }, error.message);
  process.exit(code === 'config_invalid' ? EXIT_CONFIG : EXIT_FAILED);
}

function rootModule(service: DynamicModule, operations: DynamicModule): DynamicModule {
  @Module({})
  class Root {}
  return { module: Root, imports: [operations, service] };
}

async function connectBus(
  name: Service,
  config: CommonConfig,
  logger: Logger,
  registry: Registry,
  health: HealthRegistry,
): Promise<Bus> {
  const bus = await brokerOf(name, config, logger, registry)().catch((failure: unknown) => {
    const url = new URL(config.NATS_URL);
    throw new Error(
      `NATS at ${url.host} can't be reached: ${failure instanceof Error ? failure.message : String(failure)}`,
    );
  });
  health.register({ name: 'nats', check: () => (bus.isConnected ? null : 'disconnected') });
  return bus;
}

/** What connects to the broker of the configuration. */
function brokerOf(name: Service, config: CommonConfig, logger: Logger, registry: Registry): () => Promise<Bus> {
  const rejected = busRejections(registry);
  return () =>
    Bus.connect({
      natsUrl: config.NATS_URL,
      ...natsUrlNow(config),
      ...natsTls(config),
      fleetId: config.FLEET_ID,
      service: name,
      instance: `${hostname()}-${randomUUID().slice(0, 8)}`,
      onRejected: ({ code, subject, detail }) => {
        rejected.inc({ code, subject });
        logger.warn({ code, subject, detail }, 'bus message refused');
      },
      onStatus: (status) => logger[status === 'disconnected' ? 'warn' : 'info']({ status }, 'connection to NATS'),
    });
}

/** What the credential is by now; the one of the start where its file is being replaced or is gone. */
function natsUrlNow({ NATS_URL: first, NATS_URL_FILE: path }: CommonConfig): { natsUrlNow?: () => string } {
  if (path === undefined) return {};
  return {
    natsUrlNow: () => {
      try {
        return readFileSync(path, 'utf8').trim();
      } catch {
        return first;
      }
    },
  };
}

function natsTls({ NATS_CA_FILE: caFile, NATS_CERT_FILE: certFile, NATS_KEY_FILE: keyFile }: CommonConfig): {
  tls?: BusTls;
} {
  if (caFile === undefined && certFile === undefined) return {};
  return {
    tls: {
      ...(caFile === undefined ? {} : { caFile }),
      ...(certFile === undefined ? {} : { certFile }),
      ...(keyFile === undefined ? {} : { keyFile }),
    },
  };
}

async function listen(app: INestApplication, config: CommonConfig): Promise<void> {
  try {
    await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  } catch (failure) {
    const code = (failure as { code?: string }).code;
    if (code !== 'EADDRINUSE') throw failure;
    throw new Error(`HTTP port ${config.HTTP_HOST}:${config.HTTP_PORT} is in use; set HTTP_PORT to another, or to 0`);
  }
}

/** Renamed into place, so that a reader never sees half of it. */
function writeReadyFile(path: string, content: object): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(content));
  renameSync(temporary, path);
}

function stopOnSignals(app: INestApplication, bus: Bus | undefined, logger: Logger, timeoutMs: number): void {
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error(`not stopped within ${timeoutMs} ms`);
      process.exit(EXIT_FAILED);
    }, timeoutMs).unref();
    await app.close();
    await bus?.close();
    logger.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((failure: unknown) => {
        logger.error({ failure: String(failure) }, 'stop failed');
        process.exit(EXIT_FAILED);
      });
    });
  }
}
