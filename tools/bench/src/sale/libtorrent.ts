import { spawn, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BenchTorrent } from './content.js';

/** libtorrent as seeder, where its Python binding is installed. */
export interface LibtorrentSeeder {
  readonly version: string;
  readonly pid: number;
  readonly port: number;
  readonly end: () => void;
}

const PROGRAM = fileURLToPath(new URL('../../src/sale/libtorrent-seed.py', import.meta.url));
/** The system's own Python has the system's packages; the first in the path may be another one. */
const PYTHONS = ['/usr/bin/python3', 'python3'];
const START_MS = 15_000;

/** Starts it on all torrents; undefined where it is not installed or does not start. */
export async function startLibtorrent(torrents: readonly BenchTorrent[]): Promise<LibtorrentSeeder | undefined> {
  const found = findPython();
  const [first] = torrents;
  if (found === undefined || first === undefined) return undefined;
  const args = [PROGRAM, dirname(first.contentPath), ...torrents.map(({ torrentFile }) => torrentFile)];
  const child = spawn(found.python, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => {
    const late = setTimeout(() => resolve(Number.NaN), START_MS);
    const settle = (value: number): void => {
      clearTimeout(late);
      resolve(value);
    };
    createInterface(child.stdout).once('line', (line) => settle(Number(line)));
    child.once('exit', () => settle(Number.NaN));
  });
  if (Number.isInteger(port) && child.pid !== undefined) {
    return { version: found.version, pid: child.pid, port, end: () => void child.kill() };
  }
  child.kill();
  return undefined;
}

function findPython(): { readonly python: string; readonly version: string } | undefined {
  for (const python of PYTHONS) {
    const { status, stdout } = spawnSync(python, ['-c', 'import libtorrent; print(libtorrent.__version__)'], {
      encoding: 'utf8',
    });
    if (status === 0) return { python, version: stdout.trim() };
  }
  return undefined;
}
