import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, ownIdentity, startTicksOf } from './process-identity.js';
import type { ProcessEvent, ProcessSpec } from './supervised-process.js';
import { Supervisor } from './supervisor.js';

let folder: string;
let events: ProcessEvent[];
let supervisor: Supervisor;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-supervise-'));
  events = [];
  supervisor = new Supervisor(folder, (event) => events.push(event));
});
afterEach(async () => {
  await supervisor.stopAll(500);
  rmSync(folder, { recursive: true, force: true });
});

/** A shell script as a process; ready when it has written the file `ready`. */
function script(text: string, change: Partial<ProcessSpec> = {}): ProcessSpec {
  return {
    name: 'script',
    command: '/bin/sh',
    args: ['-c', text],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: folder,
    stopSignal: 'SIGTERM',
    graceMs: 1000,
    tier: 0,
    isReady: () => Promise.resolve(existsSync(join(folder, 'ready'))),
    readyTimeoutMs: 3000,
    ...change,
  };
}

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition() && Date.now() < deadline) await sleep(20);
  expect(condition()).toBe(true);
}

const pidOf = (name: string) => supervisor.summary().find((one) => one.name === name)?.pid ?? 0;

describe('a supervised process', () => {
  it('is started, shown, logged and stopped', async () => {
    expect(await supervisor.start(script('echo hello; touch ready; exec sleep 60'))).toEqual({ ok: true });
    const pid = pidOf('script');
    expect(startTicksOf(pid)).toBeDefined();
    expect(readFileSync(supervisor.logOf('script'), 'utf8')).toBe('hello\n');
    expect(readdirSync(join(folder, 'pids'))).toEqual([`${pid}.json`]);
    await supervisor.stopAll();
    expect(startTicksOf(pid)).toBeUndefined();
    expect(readdirSync(join(folder, 'pids'))).toEqual([]);
  });

  it('that ends at once is reported with its exit and its last words', async () => {
    expect(await supervisor.start(script('echo bad luck; exit 3'))).toEqual({
      ok: false,
      code: 'exited',
      exit: 'exit code 3',
      output: 'bad luck',
    });
    expect(supervisor.summary()).toEqual([]);
  });

  it('that never answers is stopped and reported', async () => {
    const outcome = await supervisor.start(script('echo waiting; exec sleep 60', { readyTimeoutMs: 200 }));
    expect(outcome).toEqual({ ok: false, code: 'not-ready', output: 'waiting' });
  });

  it('that can not be run is reported', async () => {
    expect(await supervisor.start(script('', { command: '/nonexistent' }))).toMatchObject({
      ok: false,
      code: 'not-run',
    });
  });

  it('is started again when it crashes, and says so', async () => {
    await supervisor.start(script('touch ready; exec sleep 60'));
    const first = pidOf('script');
    process.kill(first, 'SIGKILL');
    await eventually(() => events.length === 2);
    expect(events[0]).toEqual({ type: 'crashed', name: 'script', exit: 'SIGKILL', restartInMs: 500 });
    expect(events[1]).toEqual({ type: 'restarted', name: 'script', pid: pidOf('script') });
    expect(pidOf('script')).not.toBe(first);
  });

  it('that ignores the polite signal is ended by force, children and all', async () => {
    await supervisor.start(script("trap '' TERM; sleep 60 & echo $! > child; touch ready; while :; do sleep 1; done"));
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    const pid = pidOf('script');
    await supervisor.stopAll(300);
    await eventually(() => startTicksOf(pid) === undefined && startTicksOf(child) === undefined);
  });

  it('of a higher tier is stopped first', async () => {
    const order = (name: string, tier: number) =>
      script(`trap 'echo ${name} >> order; exit 0' TERM; touch ready; while :; do sleep 0.05; done`, { name, tier });
    await supervisor.start(order('server', 0));
    await supervisor.start(order('node', 5));
    await supervisor.start(order('service', 2));
    await supervisor.stopAll();
    expect(readFileSync(join(folder, 'order'), 'utf8')).toBe('node\nservice\nserver\n');
  });
});

describe('what a killed tool leaves behind', () => {
  const WATCHDOG = fileURLToPath(new URL('../../../start/watchdog.mjs', import.meta.url));

  it('is ended by the watchdog, announced or not', async () => {
    const start = (env: Record<string, string>) =>
      spawn('sleep', ['60'], { detached: true, stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', ...env } });
    const announced = start({});
    const carrier = start({ SEEDFLEET_RUN: `token-of-${process.pid}` });
    const stranger = start({});
    const watchdog = spawn(process.execPath, [WATCHDOG], { stdio: ['pipe', 'ignore', 'ignore'] });
    const pid = announced.pid ?? 0;
    watchdog.stdin.write(`${JSON.stringify({ token: `token-of-${process.pid}` })}\n`);
    watchdog.stdin.end(`${JSON.stringify({ add: pid, start: startTicksOf(pid), signal: 'SIGTERM' })}\n{"ad`);
    await eventually(() => announced.signalCode !== null && carrier.signalCode !== null);
    expect(stranger.signalCode).toBeNull();
    stranger.kill('SIGKILL');
  });

  it('stays guarded when the watchdog dies first', async () => {
    const first = supervisor.watchdogPid ?? 0;
    process.kill(first, 'SIGKILL');
    await eventually(() => supervisor.watchdogPid !== first && startTicksOf(supervisor.watchdogPid ?? 0) !== undefined);
  });

  it('is ended by the next start, unless the pid belongs to somebody else by now', async () => {
    const stray = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const other = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const record = (pid: number, startTicks: string | undefined, runner: object) =>
      writeFileSync(join(folder, 'pids', `${pid}.json`), JSON.stringify({ name: 'stray', pid, startTicks, runner }));
    const deadRunner = { pid: process.pid, startTicks: '1' };
    record(stray.pid ?? 0, startTicksOf(stray.pid ?? 0), deadRunner);
    record(other.pid ?? 0, '1', deadRunner);
    expect(await supervisor.endStrays()).toEqual(['stray']);
    await eventually(() => stray.signalCode !== null);
    expect(other.signalCode).toBeNull();
    other.kill('SIGKILL');
    expect(isAlive(ownIdentity())).toBe(true);
  });
});

describe('a command under supervision', () => {
  it('runs to its end, line by line', async () => {
    const lines: string[] = [];
    const result = await supervisor.run({
      name: 'command',
      command: '/bin/sh',
      args: ['-c', 'echo one; echo two; echo oops >&2; exit 4'],
      env: { PATH: process.env['PATH'] ?? '' },
      cwd: '/',
      onLine: (line) => lines.push(line),
    });
    expect(result).toEqual({ exitCode: 4, errorOutput: 'oops\n' });
    expect(lines).toEqual(['one', 'two']);
  });

  it('is ended when everything stops', async () => {
    const running = supervisor.run({
      name: 'command',
      command: 'sleep',
      args: ['60'],
      env: { PATH: process.env['PATH'] ?? '' },
      cwd: '/',
      onLine: () => undefined,
    });
    await sleep(100);
    await supervisor.stopAll();
    expect((await running).exitCode).toBeNull();
  });
});
