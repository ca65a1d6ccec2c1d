import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    natsUrl: string;
  }
}

/** Vitest global setup: the broker of the environment, or one of its own for this run. */
export default async function bringBroker(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['TEST_NATS_URL'];
  if (given !== undefined) {
    project.provide('natsUrl', given);
    return undefined;
  }
  // Loaded only here: building the app must not need the tool that is built on it.
  const tool = '@seedfleet/fleet';
  const { startServers } = (await import(tool)) as {
    startServers(options: { stateDir: string; env: object }): Promise<{
      connections: { nats: { url: string } };
      stop(): Promise<void>;
    }>;
  };
  const stateDir = await mkdtemp(join(tmpdir(), 'seedfleet-node-'));
  const servers = await startServers({ stateDir, env: {} });
  project.provide('natsUrl', servers.connections.nats.url);
  return async () => {
    await servers.stop();
    await rm(stateDir, { recursive: true, force: true });
  };
}
