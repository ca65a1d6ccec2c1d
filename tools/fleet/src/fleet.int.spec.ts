import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFleet, type RunningFleet } from './fleet.js';
import type { RunFile } from './state/run-file.js';
import type { ProcessEvent } from './supervise/supervised-process.js';
import { startTicksOf } from './supervise/process-identity.js';

const START = fileURLToPath(new URL('../../start/bin.mjs', import.meta.url));

let folder: string;
let fleet: RunningFleet | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-whole-'));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], SEEDFLEET_CACHE: process.env['SEEDFLEET_CACHE'] };
const readRun = () => JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunFile;

async function eventually(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition() && Date.now() < deadline) await sleep(100);
  expect(condition()).toBe(true);
}

/** Every process whose command line names the folder: what a stray would do. */
function strays(): readonly string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

describe('a whole fleet', () => {
  it('answers, heals and stops, and has its folder to itself', async () => {
    const events: ProcessEvent[] = [];
    const options = { stateDir: folder, nodes: 2, env, onEvent: (event: ProcessEvent) => events.push(event) };
    fleet = await startFleet(options);
    const run = readRun();
    expect(run.nodes.map(({ id, peerAddress }) => [id, peerAddress.split(':')[0]])).toEqual([
      ['node-1', '127.0.0.1'],
      ['node-2', '127.0.0.2'],
    ]);
    expect(run.processes.map(({ name }) => name).sort()).toEqual(
      [
        ...['postgres', 'nats', 'redis', 'bitcoin', 'chain-watcher', 'channel-intake', 'channel-settler'],
        ...['market-api', 'node-1', 'node-2'],
      ].sort(),
    );
    expect((await fetch(`${run.marketApi.url}/health`)).status).toBe(200);
    expect(existsSync(run.marketApi.keyFile)).toBe(true);
    await expect(startFleet(options)).rejects.toMatchObject({ code: 'state-dir-busy' });

    const market = run.processes.find(({ name }) => name === 'market-api')?.pid ?? 0;
    process.kill(market, 'SIGKILL');
    await eventually(() => events.some(({ type }) => type === 'restarted'), 30_000);
    expect(readRun().processes.find(({ name }) => name === 'market-api')?.pid).not.toBe(market);
    expect((await fetch(`${readRun().marketApi.url}/health`)).status).toBe(200);

    const pids = readRun().processes.map(({ pid }) => pid);
    await fleet.stop();
    expect(existsSync(join(folder, 'run.json'))).toBe(false);
    expect(pids.filter((pid) => startTicksOf(pid) !== undefined)).toEqual([]);
  });

  it.each([300, 1200, 2500, 5000, 9000])('interrupted after %d ms leaves nothing running', async (afterMs) => {
    const child = spawn(process.execPath, [START, '--no-sale', '--state', folder], { env, stdio: 'ignore' });
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await sleep(afterMs);
    child.kill('SIGINT');
    // 130 while starting; 0 if a fast machine was up already; null where Node itself was still starting.
    expect([130, 0, null]).toContain(await exit);
    expect(strays()).toEqual([]);
    expect(existsSync(join(folder, 'run.json'))).toBe(false);
  });
});
