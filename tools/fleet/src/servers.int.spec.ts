import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTicksOf } from './supervise/process-identity.js';
import { callRpc } from './providers/bitcoin-rpc.js';
import type { Connections } from './providers/connections.js';
import { startServers, type RunningServers } from './servers.js';

const COMMAND = fileURLToPath(new URL('../bin/servers.mjs', import.meta.url));
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

let base: string;
let running: RunningServers[];
let children: ChildProcess[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fleet-servers-'));
  chmodSync(base, 0o755);
  running = [];
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const servers of running) await servers.stop();
  for (const name of readdirSync(base)) forgetDatabase(join(base, name));
  rmSync(base, { recursive: true, force: true });
});

/** Databases whose state folder was out of Postgres's reach lie elsewhere. */
function forgetDatabase(stateDir: string): void {
  try {
    const { id } = JSON.parse(readFileSync(join(stateDir, 'fleet.json'), 'utf8')) as { id: string };
    for (const place of ['/var/lib/seedfleet', '/var/tmp/seedfleet'])
      rmSync(join(place, id), { recursive: true, force: true });
  } catch {
    // Not a state folder, or never used.
  }
}

async function start(name: string, env: Record<string, string | undefined> = pathOnly()): Promise<RunningServers> {
  const servers = await startServers({ stateDir: join(base, name), env });
  running.push(servers);
  return servers;
}

/** No server of the machine's environment is used. */
function pathOnly(): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], SEEDFLEET_CACHE: process.env['SEEDFLEET_CACHE'] };
}

interface Announced extends Connections {
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

/** Runs the servers in a process of their own and waits for what it prints. */
async function startProcess(
  name: string,
  change: object = {},
  env: Record<string, string> = {},
  flags: readonly string[] = [],
) {
  const child: ChildProcess = spawn(process.execPath, [COMMAND, '--state', join(base, name), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...pathOnly(), ...env } as NodeJS.ProcessEnv,
    ...change,
  });
  children.push(child);
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the servers did not start (exit ${code})`)));
  });
  return { child, announced: JSON.parse(line) as Announced };
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function gone(pids: readonly number[], withinMs: number): Promise<number[]> {
  const deadline = Date.now() + withinMs;
  const living = () => pids.filter((pid) => startTicksOf(pid) !== undefined);
  while (living().length > 0 && Date.now() < deadline) await sleep(50);
  return living();
}

describe('the four servers', () => {
  it('come up twice side by side, and find their data again', async () => {
    const [one, two] = await Promise.all([start('one'), start('two')]);
    const urls = [one, two].flatMap(({ connections: c }) => [
      c.postgres.url,
      c.nats.url,
      c.redis.url,
      c.bitcoin.rpcUrl,
    ]);
    expect(new Set(urls.map((url) => new URL(url).port)).size).toBe(8);

    await query(one.connections.postgres.url, 'CREATE TABLE remembered (what text)');
    const tip = await callRpc(one.connections.bitcoin.rpcUrl, 'getbestblockhash');
    expect(await callRpc(two.connections.bitcoin.rpcUrl, 'getbestblockhash')).not.toBe(tip);
    expect(await callRpc(one.connections.bitcoin.rpcUrl, 'getblockcount')).toBe(101);
    expect(await callRpc(one.connections.bitcoin.rpcUrl, 'getindexinfo')).toHaveProperty('txindex');
    expect(await callRpc(one.connections.bitcoin.rpcUrl, 'listwallets')).toEqual(['seedfleet']);
    expect(await callRpc(one.connections.bitcoin.rpcUrl, 'getblockchaininfo')).toMatchObject({
      initialblockdownload: false,
    });

    await one.stop();
    const again = await start('one');
    expect(await query(again.connections.postgres.url, 'SELECT * FROM remembered')).toEqual([]);
    expect(await callRpc(again.connections.bitcoin.rpcUrl, 'getbestblockhash')).toBe(tip);
  });

  it('named by the environment are used, with a database of our own beside the foreign one', async () => {
    const theirs = await start('theirs');
    await query(theirs.connections.postgres.url, 'CREATE TABLE foreign_table (what text)');
    const { postgres, nats, redis, bitcoin } = theirs.connections;
    const env = {
      DATABASE_URL: postgres.url,
      NATS_URL: nats.url,
      NATS_MONITOR_URLS: nats.monitorUrls,
      REDIS_URL: redis.url,
      BTC_RPC: bitcoin.rpcUrl,
    };
    const ours = await start('ours', { ...pathOnly(), ...env });
    expect(ours.supervisor.summary()).toEqual([]);
    expect(ours.connections.nats).toEqual(nats);
    const name = `seedfleet_${ours.state.id}`;
    expect(new URL(ours.connections.postgres.url).pathname).toBe(`/${name}`);
    const tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    expect(await query(ours.connections.postgres.url, tables)).toEqual([]);
    expect(await query(postgres.url, tables)).toEqual([{ table_name: 'foreign_table' }]);
  });

  it('work on a private folder full of foreign files', async () => {
    const folder = join(base, 'private', 'state');
    mkdirSync(folder, { recursive: true });
    chmodSync(join(base, 'private'), 0o700);
    chmodSync(folder, 0o700);
    writeFileSync(join(folder, 'letter.txt'), 'dear reader');
    const servers = await startServers({ stateDir: folder, env: pathOnly() });
    running.push(servers);
    expect(await query(servers.connections.postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await servers.stop();
    if (isRoot) {
      // Its Postgres runs as another user, so the data lie elsewhere, and are found again.
      expect(servers.state.known.postgresData).toBe(`/var/lib/seedfleet/${servers.state.id}/postgres`);
      const again = await startServers({ stateDir: folder, env: pathOnly() });
      expect(await query(again.connections.postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await again.stop();
    }
    forgetDatabase(folder);
    expect(readFileSync(join(folder, 'letter.txt'), 'utf8')).toBe('dear reader');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('end with a killed tool within 5 s, even when its watchdog is killed first; the next start works', async () => {
    const { child, announced } = await startProcess('killed');
    const pids = announced.processes.map(({ pid }) => pid);
    expect(pids).toHaveLength(4);
    child.kill('SIGKILL');
    expect(await gone(pids, 5000)).toEqual([]);

    const second = await startProcess('killed');
    const watchdog = watchdogOf(second.child.pid ?? 0);
    process.kill(second.child.pid ?? 0, 'SIGSTOP'); // so that it can't replace its watchdog
    process.kill(watchdog, 'SIGKILL');
    second.child.kill('SIGKILL');
    const left = second.announced.processes.map(({ pid }) => pid);
    expect(await gone(left, 300)).toHaveLength(4);

    const third = await startProcess('killed');
    expect(await gone(left, 0)).toEqual([]);
    third.child.kill('SIGINT');
    expect(
      await gone(
        third.announced.processes.map(({ pid }) => pid),
        10_000,
      ),
    ).toEqual([]);
  });

  it('are used by a second invocation on the same folder', async () => {
    const { announced } = await startProcess('shared');
    const second = await start('shared');
    expect(second.supervisor.summary()).toEqual([]);
    expect(second.connections.postgres.url).toBe(announced.postgres.url);
  });

  it.each(['the input closes', 'it is interrupted'])('end with an attached tool when %s', async (how) => {
    const piped = { stdio: ['pipe', 'pipe', 'inherit'] };
    const { child, announced } = await startProcess('attached', piped, {}, ['--attached']);
    if (how === 'the input closes') child.stdin?.end();
    else child.kill('SIGINT');
    const all = [child.pid ?? 0, ...announced.processes.map(({ pid }) => pid)];
    expect(await gone(all, 10_000)).toEqual([]);
  });

  it.skipIf(!isRoot || !readableByNobody())('come up without root', async () => {
    const home = join(base, 'home');
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    const { child, announced } = await startProcess('home/state', { uid: NOBODY, gid: NOBODY }, { HOME: home });
    expect(await query(announced.postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(statSync(join(home, 'state')).uid).toBe(NOBODY);
    child.kill('SIGINT');
    expect(
      await gone(
        announced.processes.map(({ pid }) => pid),
        10_000,
      ),
    ).toEqual([]);
  });
});

/** The watchdog is the tool's only child of that script. */
function watchdogOf(pid: number): number {
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (parent === pid && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes('watchdog')) return Number(entry);
    } catch {
      // Gone meanwhile.
    }
  }
  throw new Error(`process ${pid} has no watchdog`);
}

/** A checkout below a private home can't be run by another user. */
function readableByNobody(): boolean {
  const folders = COMMAND.split('/').slice(0, -1);
  return folders.every((_, count) => {
    const folder = folders.slice(0, count + 1).join('/') || '/';
    return existsSync(folder) && (statSync(folder).mode & 0o005) === 0o005;
  });
}
