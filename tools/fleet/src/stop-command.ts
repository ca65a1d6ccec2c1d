import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runnerOf } from './state/folder-lock.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const POLL_MS = 200;

/** `npm stop`: 0 when no fleet runs from the folder any more, 1 where there is no such folder. */
export async function runStopCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { state: { type: 'string' } } });
  const cwd = process.env['INIT_CWD'] ?? process.cwd();
  const folder = values.state === undefined ? join(ROOT, '.seedfleet') : resolve(cwd, values.state);
  if (!existsSync(join(folder, 'fleet.json'))) {
    process.stderr.write(`${folder} is not the state folder of a fleet\n`);
    return 1;
  }
  const runner = runnerOf(folder);
  if (runner !== undefined) process.kill(runner, 'SIGTERM');
  // Nodes may take as long as their sales.
  while (runnerOf(folder) !== undefined) await sleep(POLL_MS);
  process.stdout.write(`no fleet runs from ${folder}\n`);
  return 0;
}
