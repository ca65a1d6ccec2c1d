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
  readonly rpcUrl: string;
  readonly zmqAddress: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    servers: TestServers;
  }
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Vitest's global set-up: the servers of the environment, or some of its own for this run; and the service, built. */
export default async function bringServers(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', 'apps/chain-watcher'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const {
    TEST_POSTGRES_URL: postgresUrl,
    TEST_NATS_URL: natsUrl,
    TEST_BTC_RPC: rpcUrl,
    TEST_BTC_ZMQ: zmqAddress,
  } = process.env;
  if (postgresUrl && natsUrl && rpcUrl) {
    project.provide('servers', { postgresUrl, natsUrl, rpcUrl, zmqAddress: zmqAddress ?? '' });
    return undefined;
  }
  // Loaded only here: building the service must not need the tool that starts it.
  const tool = '@seedfleet/fleet';
  const { startServers } = (await import(tool)) as {
    startServers(options: { stateDir: string; env: object }): Promise<{
      connections: {
        postgres: { url: string };
        nats: { url: string };
        bitcoin: { rpcUrl: string; zmq: string };
      };
      stop(): Promise<void>;
    }>;
  };
  const stateDir = await mkdtemp(join(tmpdir(), 'seedfleet-chain-'));
  const servers = await startServers({ stateDir, env: {} });
  const { postgres, nats, bitcoin } = servers.connections;
  project.provide('servers', {
    postgresUrl: postgres.url,
    natsUrl: nats.url,
    rpcUrl: bitcoin.rpcUrl,
    zmqAddress: bitcoin.zmq,
  });
  return async () => {
    await servers.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
}
