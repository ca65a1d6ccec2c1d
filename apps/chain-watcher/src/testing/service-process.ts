import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The service as its own process, as it runs in production; it can be killed and started again. */
export class ServiceProcess {
  #child: ChildProcess | undefined;
  #log = '';
  readonly #folder = mkdtempSync(join(tmpdir(), 'chain-watcher-'));
  #httpPort = 0;

  constructor(private readonly environment: Readonly<Record<string, string>>) {}

  /** Everything it wrote, for the message of a failed test. */
  get log(): string {
    return this.#log;
  }

  /** Starts it and waits until it is ready. Rejects with its log if it ends before. */
  async start(): Promise<void> {
    const exit = this.launch();
    const readyFile = this.#readyFile;
    let exited = false;
    void exit.then(() => (exited = true));
    for (let waitedMs = 0; !existsSync(readyFile); waitedMs += 20) {
      if (exited || waitedMs > 30_000) throw new Error(`chain-watcher did not become ready:\n${this.#log}`);
      await sleep(20);
    }
    this.#httpPort = (JSON.parse(readFileSync(readyFile, 'utf8')) as { httpPort: number }).httpPort;
  }

  /** Starts it without waiting; resolves with its exit code. */
  launch(): Promise<number | null> {
    rmSync(this.#readyFile, { force: true });
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
      env: { PATH: process.env['PATH'] ?? '', READY_FILE: this.#readyFile, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk: Buffer): void => void (this.#log = (this.#log + chunk.toString()).slice(-20_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    return new Promise((exited) => child.once('exit', exited));
  }

  /** Stops it in the middle of whatever it does, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Resolves with its exit code once it has ended by itself. */
  ended(): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return Promise.resolve(child?.exitCode ?? null);
    return new Promise((exited) => child.once('exit', exited));
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((exited) => child.once('exit', exited));
    child.kill(signal);
    await gone;
  }

  async dispose(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  fetch(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#httpPort}${path}`);
  }

  get #readyFile(): string {
    return join(this.#folder, 'ready.json');
  }
}
