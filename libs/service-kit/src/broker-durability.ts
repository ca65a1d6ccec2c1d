import {
  ensureStream,
  judgeDurability,
  observeBroker,
  StreamRefused,
  type Bus,
  type Flush,
  type StreamContract,
} from '@seedfleet/bus';
import { z } from 'zod';
import { ConfigError, type NetworkName } from './config.js';
import type { HealthRegistry } from './health.js';
import type { Logger } from './logging.js';
import { Gauge, type Registry } from './metrics.js';

/** What services that rely on the broker's acknowledgements read of the environment. */
export const brokerConfig = {
  /** Copies that the broker keeps of each stream: 1 on one machine, 3 in production. */
  NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  /** What an acknowledgement has to be worth on each server. Default: fsync on the main networks, else page-cache. */
  BROKER_DURABILITY: z.enum(['fsync', 'page-cache']).optional(),
  /** Monitoring endpoints of the broker's servers, http://HOST:PORT, separated by commas: only they tell how one flushes. */
  NATS_MONITOR_URLS: z
    .string()
    .transform((text) => text.split(',').map((url) => url.trim()))
    .pipe(z.array(z.url({ protocol: /^https?$/ })).max(9))
    .default([]),
};

export interface BrokerSettings {
  readonly SEEDFLEET_NETWORK: NetworkName;
  readonly NATS_REPLICAS: number;
  readonly BROKER_DURABILITY?: Flush | undefined;
  readonly NATS_MONITOR_URLS: readonly string[];
}

interface Parts {
  readonly config: BrokerSettings;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly health: HealthRegistry;
  readonly registry: Registry;
}

/** Makes the stream on as many servers as configured. Rejects with `ConfigError` where the broker has not so many. */
export async function ensureDurableStream({ config, bus }: Parts, contract: StreamContract): Promise<void> {
  try {
    await ensureStream(bus, contract, config.NATS_REPLICAS);
  } catch (failure) {
    if (!(failure instanceof StreamRefused) || failure.code !== 'too-few-servers') throw failure;
    throw new ConfigError(`NATS_REPLICAS=${config.NATS_REPLICAS} is more than the broker has: ${failure.message}`);
  }
}

/**
 * Checks at the start what the broker's acknowledgement of a message in this stream is worth. Rejects with `ConfigError`
 * where real money is at stake and it is worth less than configured. What can't be verified, and elsewhere what falls short,
 * is logged and stays in the notes of /health.
 */
export async function checkBrokerDurability(parts: Parts, contract: StreamContract): Promise<void> {
  const { config, bus, logger, health, registry } = parts;
  const isMain = config.SEEDFLEET_NETWORK.startsWith('mainnet');
  const required = {
    flush: config.BROKER_DURABILITY ?? (isMain ? 'fsync' : 'page-cache'),
    replicas: config.NATS_REPLICAS,
  } as const;
  const verdict = judgeDurability(required, await observeBroker(bus, contract, config.NATS_MONITOR_URLS));
  const { worth, shortfalls, unverified } = verdict;
  logger[unverified.length + shortfalls.length === 0 ? 'info' : 'warn'](
    { worth, required, shortfalls, unverified },
    'what a broker acknowledgement is worth',
  );
  if (isMain && shortfalls.length > 0) {
    const said = shortfalls.map(({ code, detail }) => `${code}: ${detail}`).join('; ');
    throw new ConfigError(
      `BROKER_DURABILITY=${required.flush} with NATS_REPLICAS=${required.replicas} is not what the broker gives: ${said}`,
    );
  }
  const said = [
    `a message is ${worth} when it is acknowledged`,
    ...shortfalls.map(({ code, detail }) => `${code}: ${detail}`),
    ...unverified.map((what) => `not verified: ${what}`),
  ];
  health.note('broker-durability', said.join('; '));
  const gauge = new Gauge({
    name: 'seedfleet_broker_durability_doubts',
    help: 'In how many ways a broker acknowledgement is worth less than configured, or could not be verified at the start',
    labelNames: ['kind'],
    registers: [registry],
  });
  gauge.set({ kind: 'shortfall' }, shortfalls.length);
  gauge.set({ kind: 'unverified' }, unverified.length);
}
