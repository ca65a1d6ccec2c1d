import { readFileSync } from 'node:fs';
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
  /** The network of the whole deployment; there is no default. Checked against the Bitcoin node. */
  SEEDFLEET_NETWORK: networkName,
  /** First token of subjects, streams and queues: fleets sharing a broker or Redis don't meet. */
  FLEET_ID: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'lowercase letters, digits and hyphens')
    .default('seedfleet'),
  /** The broker, with the service's own credential: `nats://USER:PASSWORD@HOST:PORT`; `tls://` for TLS. */
  NATS_URL: z.url({ protocol: /^(nats|tls)$/ }),
  /** A file that holds NATS_URL instead. Read again whenever the service connects: a credential may be changed while it runs. */
  NATS_URL_FILE: z.string().optional(),
  /** PEM file with the authority that signed the broker's certificate. Naming it makes TLS a must. */
  NATS_CA_FILE: z.string().optional(),
  /** PEM file with this service's certificate for the broker, where it asks for one. */
  NATS_CERT_FILE: z.string().optional(),
  /** PEM file with the key to it. */
  NATS_KEY_FILE: z.string().optional(),
  /** Address on which `/health` and `/metrics` answer. */
  HTTP_HOST: z.string().default('127.0.0.1'),
  /** Port for `/health` and `/metrics`; 0: any free one. */
  HTTP_PORT: port.default(0),
  /** A file to write the ports to once ready, for whoever started the service. */
  READY_FILE: z.string().optional(),
  /** What is logged, and everything worse. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
});

export type CommonConfig = z.infer<typeof commonConfig>;

/** What a service with a database reads. */
export const databaseConfig = {
  /** Postgres, as the service's own role: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** PEM file with the authority that signed Postgres' certificate. Naming it makes TLS, and the right host name, a must. */
  DATABASE_CA_FILE: z.string().optional(),
  /** PEM file with this service's certificate for Postgres, where it asks for one. */
  DATABASE_CERT_FILE: z.string().optional(),
  /** PEM file with the key to it. */
  DATABASE_KEY_FILE: z.string().optional(),
};

/** What a service with a Redis reads. */
export const redisConfig = {
  /** Redis: `redis://:PASSWORD@HOST:PORT`; `rediss://` for TLS. Only wakes workers. */
  REDIS_URL: z.url({ protocol: /^rediss?$/ }),
  /** PEM file with the authority that signed Redis' certificate. Naming it makes TLS a must. */
  REDIS_CA_FILE: z.string().optional(),
  /** PEM file with this service's certificate for Redis, where it asks for one. */
  REDIS_CERT_FILE: z.string().optional(),
  /** PEM file with the key to it. */
  REDIS_KEY_FILE: z.string().optional(),
};

/** Variables that hold a password and may therefore stand in a file instead, named by the variable with `_FILE`. */
export const SECRET_VARIABLES = ['NATS_URL', 'DATABASE_URL', 'REDIS_URL', 'BTC_RPC'] as const;

/** The configuration is unusable; `message` names each variable and what is wrong with it. */
export class ConfigError extends Error {
  readonly code = 'config_invalid';
}

/**
 * Parses the environment. Throws `ConfigError`. Empty variables count as absent. Secrets are read from their files, and
 * the certificates for Postgres become part of its URL, which every client of it understands.
 */
export function parseConfig<S extends z.ZodType>(schema: S, environment: NodeJS.ProcessEnv): z.output<S> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  for (const name of SECRET_VARIABLES) readSecret(given, name);
  if (given['DATABASE_URL'] !== undefined) given['DATABASE_URL'] = databaseUrlOf(given, given['DATABASE_URL']);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return given[name] === undefined ? `${name} is not set` : `${name}: ${issue.message}`;
  });
  throw new ConfigError(`configuration: ${problems.join('; ')}`);
}

function readSecret(given: Record<string, string | undefined>, name: string): void {
  const path = given[`${name}_FILE`];
  if (path === undefined) return;
  if (given[name] !== undefined) throw new ConfigError(`configuration: ${name} and ${name}_FILE are both set`);
  try {
    given[name] = readFileSync(path, 'utf8').trim();
  } catch (failure) {
    throw new ConfigError(
      `configuration: ${name}_FILE: ${failure instanceof Error ? failure.message : String(failure)}`,
    );
  }
}

/** Postgres' clients read certificates that the URL names; `verify-full` also checks the host name. */
function databaseUrlOf(given: Record<string, string | undefined>, text: string): string {
  const { DATABASE_CA_FILE: ca, DATABASE_CERT_FILE: cert, DATABASE_KEY_FILE: key } = given;
  if ((ca === undefined && cert === undefined) || !URL.canParse(text)) return text;
  const url = new URL(text);
  url.searchParams.set('sslmode', 'verify-full');
  if (ca !== undefined) url.searchParams.set('sslrootcert', ca);
  if (cert !== undefined) url.searchParams.set('sslcert', cert);
  if (key !== undefined) url.searchParams.set('sslkey', key);
  return url.href;
}

/** Options of a Redis client for its TLS, read from the files; none where none is named. */
export function redisTls(config: {
  readonly REDIS_CA_FILE?: string | undefined;
  readonly REDIS_CERT_FILE?: string | undefined;
  readonly REDIS_KEY_FILE?: string | undefined;
}): { readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } } {
  const read = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : readFileSync(path, 'utf8');
  const ca = read(config.REDIS_CA_FILE);
  const cert = read(config.REDIS_CERT_FILE);
  const key = read(config.REDIS_KEY_FILE);
  if (ca === undefined && cert === undefined) return {};
  return {
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}
