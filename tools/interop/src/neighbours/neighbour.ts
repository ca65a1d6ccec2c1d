import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** How one torrent stands at a neighbour. */
export interface LeechStatus {
  /** Bytes of content that it says it received. */
  readonly downloadedBytes: number;
  /** Peers that it is connected to. */
  readonly peers: number;
}

/** A running BitTorrent client that others wrote, which leeches. */
export interface RunningNeighbour {
  status(infoHash: string): Promise<LeechStatus>;
  readonly isRunning: boolean;
  stop(): Promise<void>;
}

export interface LeechOrder {
  /** Its own folder: settings and content go there. */
  readonly folder: string;
  /** Free TCP ports of loopback: for peers, and for asking the client how it stands. */
  readonly peerPort: number;
  readonly controlPort: number;
  readonly torrents: readonly { readonly infoHash: string; readonly file: Uint8Array }[];
}

export interface Neighbour {
  readonly name: string;
  /** Debian's package. */
  readonly debian: string;
  /** As it names itself; undefined where it is not installed. */
  readonly version: () => string | undefined;
  readonly start: (order: LeechOrder) => Promise<RunningNeighbour>;
}

const STOP_MS = 10_000;
const START_MS = 30_000;
const RETRY_MS = 100;

/** First line that a program prints about itself; undefined where it does not run. */
export function versionOf(program: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? `${stdout}${stderr}`.split('\n')[0] : undefined;
}

/** A client's process, which ends with the spec. */
export class NeighbourProcess {
  private readonly child: ChildProcess;
  private said = '';

  constructor(program: string, args: readonly string[], folder: string) {
    this.child = spawn(program, args, { cwd: folder, env: { ...process.env, HOME: folder }, stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (text: Buffer) => (this.said = (this.said + text.toString('utf8')).slice(-4_000)));
    }
    this.child.on('error', (error) => (this.said += String(error)));
  }

  get isRunning(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What it printed last, for messages of failures. */
  get output(): string {
    return this.said;
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.child, 'exit');
    const late = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    this.child.kill('SIGTERM');
    await gone;
    clearTimeout(late);
  }

  /** Tries until the client answers. */
  async answers<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      try {
        return await ask();
      } catch (failure) {
        if (!this.isRunning || performance.now() > deadline) {
          await this.stop();
          throw new Error(`it does not answer: ${String(failure)}; it said ${this.said}`, { cause: failure });
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
