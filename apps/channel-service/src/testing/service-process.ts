import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const APPS = fileURLToPath(new URL('../../../', import.meta.url));
const READY_TIMEOUT_MS = 30_000;

/** A service as its own process, as it runs in production; it can be killed and started again. */
export class ServiceProcess {
  private child: ChildProcess | undefined;
  private httpPort = 0;
  private text = '';

  constructor(
    private readonly app: 'channel-service' | 'chain-watcher',
    private readonly folder: string,
    private readonly name: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** Everything it wrote lately, for the message of a failed test. */
  get log(): string {
    return this.text;
  }

  /** Starts it and waits until its /health is good. Rejects with its log if it ends before. */
  async start(): Promise<void> {
    let exitCode: number | null | undefined;
    void this.launch().then((code) => (exitCode = code));
    for (let waitedMs = 0; ; waitedMs += 25) {
      if (exitCode !== undefined || waitedMs > READY_TIMEOUT_MS) {
        throw new Error(`${this.name} did not become ready (exit ${exitCode}):\n${this.text}`);
      }
      if (existsSync(this.readyFile)) {
        this.httpPort = (JSON.parse(readFileSync(this.readyFile, 'utf8')) as { httpPort: number }).httpPort;
        const health = await this.fetch('/health').catch(() => undefined);
        if (health?.ok === true) return;
      }
      await sleep(25);
    }
  }

  /** Starts it without waiting; resolves with its exit code. */
  launch(): Promise<number | null> {
    rmSync(this.readyFile, { force: true });
    const child = spawn(process.execPath, ['--enable-source-maps', join(APPS, this.app, 'dist/main.js')], {
      env: { PATH: process.env['PATH'] ?? '', READY_FILE: this.readyFile, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const keep = (chunk: Buffer): void => void (this.text = (this.text + chunk.toString()).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    return new Promise((exited) => child.once('exit', exited));
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((exited) => child.once('exit', exited));
    child.kill(signal);
    await gone;
  }

  fetch(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.httpPort}${path}`);
  }

  private get readyFile(): string {
    return join(this.folder, `${this.name}.ready.json`);
  }
}
