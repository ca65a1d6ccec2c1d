import { z } from 'zod';

/** Configuration comes from the environment, is parsed once at start, and a mistake stops the service there. */

/** The network a deployment runs on; services refuse to start without one. */
export const networkName = z.enum([
  'mainnet',
  'testnet3',
  'regtest',
  'mainnet_bitcoin_cash',
  'testnet_bitcoin_cash',
  'regtest_bitcoin_cash',
]);

export type NetworkName = z.infer<typeof networkName>;

const port = z.coerce.number().int().min(0).max(65_535);

/** What every service reads. */
export const commonConfig = z.object({
  SEEDFLEET_NETWORK: networkName,
  /** First token of subjects, streams and queues: fleets sharing a broker or Redis don't meet. */
  FLEET_ID: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'lowercase letters, digits and hyphens')
    .default('seedfleet'),
  NATS_URL: z.url({ protocol: /^(nats|tls)$/ }),
  HTTP_HOST: z.string().default('127.0.0.1'),
  /** 0: any free port. */
  HTTP_PORT: port.default(0),
  /** A file to write the ports to once ready, for whoever started the service. */
  READY_FILE: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
});

export type CommonConfig = z.infer<typeof commonConfig>;

/** The configuration is unusable; `message` names each variable and what is wrong with it. */
export class ConfigError extends Error {
  readonly code = 'config_invalid';
}

/** Parses the environment. Throws `ConfigError`. Empty variables count as absent. */
export function parseConfig<S extends z.ZodType>(schema: S, environment: NodeJS.ProcessEnv): z.output<S> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return given[name] === undefined ? `${name} is not set` : `${name}: ${issue.message}`;
  });
  throw new ConfigError(`configuration: ${problems.join('; ')}`);
}
