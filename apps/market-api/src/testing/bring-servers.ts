import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    natsUrl: string;
    redisUrl: string;
  }
}

interface Tool {
  startServers(options: { stateDir: string; env: object }): Promise<{
    connections: Record<'postgres' | 'nats' | 'redis', { url: string }>;
    stop(): Promise<void>;
  }>;
}

/** Vitest global setup: the servers of the environment, or ones of its own for this run. */
export default async function bringServers(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { TEST_POSTGRES_URL: postgres, TEST_NATS_URL: nats, TEST_REDIS_URL: redis } = process.env;
  if (postgres !== undefined && nats !== undefined && redis !== undefined) {
    project.provide('postgresUrl', postgres);
    project.provide('natsUrl', nats);
    project.provide('redisUrl', redis);
    return undefined;
  }
  // Loaded only here: building the service must not need the tool that runs it.
  const tool = '@seedfleet/fleet';
  const { startServers } = (await import(tool)) as Tool;
  const stateDir = await mkdtemp(join(tmpdir(), 'seedfleet-market-'));
  const servers = await startServers({ stateDir, env: {} });
  project.provide('postgresUrl', servers.connections.postgres.url);
  project.provide('natsUrl', servers.connections.nats.url);
  project.provide('redisUrl', servers.connections.redis.url);
  return async () => {
    await servers.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
}
