import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

/** Addresses of the servers that the tests use. */
export interface TestServers {
  readonly postgresUrl: string;
  readonly natsUrl: string;
  /** The broker's monitoring endpoint; empty where the environment names a broker without it. */
  readonly natsMonitorUrl: string;
  readonly redisUrl: string;
  readonly rpcUrl: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    servers: TestServers;
  }
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Vitest's global set-up: the servers of the environment, or some of its own for this run; and the services, built. */
export default async function bringServers(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-b', 'apps/channel-service', 'apps/chain-watcher'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const {
    TEST_POSTGRES_URL: postgresUrl,
    TEST_NATS_URL: natsUrl,
    TEST_NATS_MONITOR_URL: natsMonitorUrl = '',
    TEST_REDIS_URL: redisUrl,
    TEST_BTC_RPC: rpcUrl,
  } = process.env;
  if (postgresUrl && natsUrl && redisUrl && rpcUrl) {
    project.provide('servers', { postgresUrl, natsUrl, natsMonitorUrl, redisUrl, rpcUrl });
    return undefined;
  }
  // Loaded only here: building the service must not need the tool that starts it.
  const tool = '@seedfleet/fleet';
  const { startServers } = (await import(tool)) as {
    startServers(options: { stateDir: string; env: object }): Promise<{
      connections: Record<'postgres' | 'redis', { url: string }> & {
        nats: { url: string; monitorUrls: string };
        bitcoin: { rpcUrl: string };
      };
      stop(): Promise<void>;
    }>;
  };
  const stateDir = await mkdtemp(join(tmpdir(), 'seedfleet-channels-'));
  const servers = await startServers({ stateDir, env: {} });
  const { postgres, nats, redis, bitcoin } = servers.connections;
  project.provide('servers', {
    postgresUrl: postgres.url,
    natsUrl: nats.url,
    natsMonitorUrl: nats.monitorUrls,
    redisUrl: redis.url,
    rpcUrl: bitcoin.rpcUrl,
  });
  return async () => {
    await servers.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
}
