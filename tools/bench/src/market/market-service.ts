import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deployMigrations, deployRoles } from '@seedfleet/persistence';
import type { Connections } from '@seedfleet/fleet';
import type { Api } from './pages.js';

const PROGRAM = fileURLToPath(new URL('../../../../apps/market-api/dist/main.js', import.meta.url));
const START_MS = 120_000;
const STOP_MS = 15_000;

/** The market API as it is shipped, in a process of its own, and none of the other services: they would disturb. */
export class MarketService {
  private constructor(
    private readonly process: ChildProcess,
    readonly api: Api,
    readonly fleetId: string,
  ) {}

  get pid(): number {
    return this.process.pid ?? Number.NaN;
  }

  /** Migrates the database and starts the service on it; `profileDir` takes a processor profile of it. */
  static async start(servers: Connections, folder: string, port: number, profileDir?: string): Promise<MarketService> {
    await deployMigrations(servers.postgres.url);
    const roles = await deployRoles(servers.postgres.url, { chain: 'bench', channel: 'bench', market: 'bench' });
    const fleetId = 'bench-market';
    const keyFile = join(folder, 'api-key');
    const profiling = profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDir];
    const child = spawn(process.execPath, [...profiling, PROGRAM], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        SEEDFLEET_NETWORK: 'regtest',
        FLEET_ID: fleetId,
        NATS_URL: servers.nats.url,
        REDIS_URL: servers.redis.url,
        DATABASE_URL: roles?.market ?? servers.postgres.url,
        API_KEY_FILE: keyFile,
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: String(port),
        LOG_LEVEL: 'warn',
      },
    });
    const url = `http://127.0.0.1:${port}`;
    const deadlineMs = performance.now() + START_MS;
    while (!(await answers(url)) || !existsSync(keyFile)) {
      if (child.exitCode !== null) throw new Error(`the market API ended with ${child.exitCode}`);
      if (performance.now() > deadlineMs) throw new Error('the market API does not answer');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return new MarketService(child, { url, key: readFileSync(keyFile, 'utf8').trim() }, fleetId);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(late);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}
