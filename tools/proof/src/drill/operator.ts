import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const COMMAND_MS = 180_000;
const STARTED = 'the fleet is up';

/** Runs the commands of a page as a person does at a shell, with the variables that the page asks for. */
export class Operator {
  private readonly running = new Set<number>();

  /** @param variables by name, as the pages use them */
  constructor(
    private readonly folder: string,
    readonly variables: Record<string, string>,
  ) {}

  /** Runs commands one after the other; one that starts a fleet stays. Rejects with what a failed one said. */
  async follow(commands: readonly string[]): Promise<string> {
    let said = '';
    for (const command of commands) said += await this.run(command);
    return said;
  }

  run(command: string): Promise<string> {
    const log = createWriteStream(join(this.folder, 'operator.log'), { flags: 'a' });
    log.write(`$ ${command}\n`);
    // A group of its own, so that all that a command started can be ended with it.
    const child = spawn('sh', ['-c', command], {
      cwd: ROOT,
      env: this.variables,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = child;
    if (pid !== undefined) this.running.add(pid);
    const stays = command.startsWith('npm start');
    let output = '';
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.end(pid);
        reject(new Error(`${command}: no end after ${COMMAND_MS / 1_000} s\n${output}`));
      }, COMMAND_MS);
      const hear = (bytes: Buffer): void => {
        output += bytes.toString();
        log.write(bytes);
        if (stays && output.includes(STARTED)) {
          clearTimeout(timer);
          resolve(output);
        }
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('close', (code) => {
        clearTimeout(timer);
        if (pid !== undefined) this.running.delete(pid);
        log.end();
        if (code === 0) resolve(output);
        else reject(new Error(`${command}: exit code ${code}\n${output}`));
      });
    });
  }

  /** Ends whatever still runs, at once. */
  endAll(): void {
    for (const pid of this.running) this.end(pid);
  }

  private end(pid: number | undefined): void {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
