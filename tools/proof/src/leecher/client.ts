import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LEECHER = fileURLToPath(new URL('../../../../apps/leecher/dist/main.js', import.meta.url));
/** Longer than any command of a proof takes on a loaded machine. */
const COMMAND_MS = 240_000;

const MOST_EVENTS = 10_000;

export interface LeecherEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** How a command ended. `exitCode` is null where it was killed. */
export interface Ended {
  readonly exitCode: number | null;
  readonly events: readonly LeecherEvent[];
  readonly errors: string;
}

export interface RunningCommand {
  readonly ended: Promise<Ended>;
  /** Resident memory now, bytes; 0 where it can't be told. */
  memoryBytes(): number;
  interrupt(): void;
}

/** The leecher as people have it: a process, a wallet's folder, a folder for content. */
export class LeecherClient {
  readonly wallet: string;
  readonly out: string;

  constructor(
    readonly folder: string,
    private readonly rpcUrl: string,
  ) {
    mkdirSync(folder, { recursive: true });
    this.wallet = join(folder, 'wallet');
    this.out = join(folder, 'out');
  }

  /** Starts a command; each event is told as it comes. */
  start(
    words: readonly string[],
    options: {
      readonly killAt?: string;
      readonly onEvent?: (event: LeecherEvent) => void;
      /** Default 4 minutes. */
      readonly limitMs?: number;
    } = {},
  ): RunningCommand {
    const config = join(this.folder, 'none.json');
    writeFileSync(config, '{}');
    const child = spawn(
      process.execPath,
      [LEECHER, ...words, '--json', '--config', config, '--rpc', this.rpcUrl, '--wallet', this.wallet],
      {
        cwd: this.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          HOME: this.folder,
          ...(options.killAt === undefined ? {} : { LEECHER_KILL_AT: options.killAt }),
        },
      },
    );
    const events: LeecherEvent[] = [];
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4_000)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as LeecherEvent;
      // Of hours the end is told.
      if (events.push(event) > MOST_EVENTS) events.splice(0, MOST_EVENTS / 2);
      options.onEvent?.(event);
    });
    const late = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? COMMAND_MS);
    const ended = new Promise<Ended>((resolve) =>
      child.once('close', (exitCode) => {
        clearTimeout(late);
        resolve({ exitCode, events, errors });
      }),
    );
    return { ended, memoryBytes: () => residentBytes(child.pid), interrupt: () => child.kill('SIGINT') };
  }

  run(words: readonly string[], options: Parameters<LeecherClient['start']>[1] = {}): Promise<Ended> {
    return this.start(words, options).ended;
  }

  /** Runs a command that has to work, and returns its event of this name. */
  async ask(words: readonly string[], event: string): Promise<LeecherEvent> {
    const ended = await this.run(words);
    const found = ended.events.findLast((one) => one.event === event);
    if (ended.exitCode === 0 && found !== undefined) return found;
    throw new Error(`leecher ${words.join(' ')}: ${describeEnd(ended)}`);
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

export function describeEnd({ exitCode, events, errors }: Ended): string {
  return `exit ${exitCode}, ${JSON.stringify(events.at(-1))} ${errors}`.trim();
}
