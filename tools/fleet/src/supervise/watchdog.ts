import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProcessIdentity } from './process-identity.js';

const SCRIPT = fileURLToPath(new URL('../../../start/watchdog.mjs', import.meta.url));

interface Guarded extends ProcessIdentity {
  readonly stopSignal: NodeJS.Signals;
}

/**
 * The companion process that ends everything when this process is killed. If the companion itself dies, another takes
 * its place and is told of everything that runs.
 */
export class Watchdog {
  readonly #guarded = new Map<number, Guarded>();
  #child: ChildProcess | undefined;
  #dismissed = false;

  /** @param token the value of SEEDFLEET_RUN in the environment of everything that is started */
  constructor(private readonly token: string) {
    this.#launch();
  }

  /** The companion's pid, for tests. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  guard(process: Guarded): void {
    this.#guarded.set(process.pid, process);
    this.#tell({ add: process.pid, start: process.startTicks, signal: process.stopSignal });
  }

  release(pid: number): void {
    this.#guarded.delete(pid);
    this.#tell({ remove: pid });
  }

  /** Lets the companion go without ending anything: everything has been stopped. */
  dismiss(): void {
    this.#dismissed = true;
    this.#tell({ farewell: true });
    this.#child?.stdin?.end();
  }

  #launch(): void {
    const child = spawn(process.execPath, [SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
    this.#child = child;
    child.stdin?.on('error', () => undefined); // a dead companion's pipe; its exit brings the next one
    child.on('error', () => undefined);
    child.on('exit', () => {
      if (!this.#dismissed) setTimeout(() => this.#dismissed || this.#launch(), 100).unref();
    });
    child.unref();
    (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    this.#tell({ token: this.token });
    for (const { pid, startTicks, stopSignal } of this.#guarded.values()) {
      this.#tell({ add: pid, start: startTicks, signal: stopSignal });
    }
  }

  #tell(message: object): void {
    this.#child?.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}
