import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    rpcUrl: string;
    zmqAddress: string;
  }
}

const SERVERS = fileURLToPath(new URL('../../../../tools/fleet/bin/servers.mjs', import.meta.url));

/** Vitest's global set-up: takes the node of the environment, else starts the development servers for this run. */
export default async function bringNode(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_BTC_RPC'];
  if (given) {
    project.provide('rpcUrl', given);
    project.provide('zmqAddress', process.env['TEST_BTC_ZMQ'] ?? '');
    return () => Promise.resolve();
  }
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-node-'));
  const servers = spawn(process.execPath, [SERVERS, '--attached', '--state', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { bitcoin } = await firstLine(servers);
  project.provide('rpcUrl', bitcoin.rpcUrl);
  project.provide('zmqAddress', bitcoin.zmq);
  return async () => {
    await new Promise<void>((ended) => {
      servers.once('exit', () => ended());
      servers.kill('SIGINT');
    });
    rmSync(folder, { recursive: true, force: true });
  };
}

async function firstLine(servers: ChildProcess): Promise<{ bitcoin: { rpcUrl: string; zmq: string } }> {
  if (!servers.stdout) throw new TypeError('the servers have no standard output');
  for await (const line of createInterface({ input: servers.stdout })) {
    return JSON.parse(line) as { bitcoin: { rpcUrl: string; zmq: string } };
  }
  throw new Error('the servers ended before they were ready');
}
