// Vitest's global set-up of the specs on real servers: those of the environment (TEST_POSTGRES_URL, TEST_NATS_URL,
// TEST_REDIS_URL, TEST_BTC_RPC, and TEST_NATS_MONITOR_URL and TEST_BTC_ZMQ where they matter), else some of its own for
// this run. Services that specs start as processes are built before.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../build.mjs';
import { startAttached } from './attached.mjs';

const REQUIRED = ['TEST_POSTGRES_URL', 'TEST_NATS_URL', 'TEST_REDIS_URL', 'TEST_BTC_RPC'];

export default async function bringServers(project) {
  await prepare(['apps/channel-service', 'apps/chain-watcher']);
  if (REQUIRED.every((name) => process.env[name])) {
    provide(project, process.env);
    return undefined;
  }
  const stateDir = await mkdtemp(join(tmpdir(), 'seedfleet-specs-'));
  const servers = await startAttached(stateDir);
  provide(project, servers.environment);
  return async () => {
    await servers.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
}

/** What specs get by `inject`; the types are in provided.d.ts. */
function provide(project, environment) {
  project.provide('postgresUrl', environment.TEST_POSTGRES_URL);
  project.provide('natsUrl', environment.TEST_NATS_URL);
  project.provide('natsMonitorUrl', environment.TEST_NATS_MONITOR_URL ?? '');
  project.provide('redisUrl', environment.TEST_REDIS_URL);
  project.provide('rpcUrl', environment.TEST_BTC_RPC);
  project.provide('zmqAddress', environment.TEST_BTC_ZMQ ?? '');
}
