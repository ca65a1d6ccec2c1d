import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Neighbour } from './neighbour.js';

const PROGRAM = fileURLToPath(new URL('../../src/neighbours/libtorrent-leech.py', import.meta.url));
/** The system's own Python has the system's packages; the first in the path may be another one. */
const PYTHON = '/usr/bin/python3';

export const libtorrent: Neighbour = {
  name: 'libtorrent',
  debian: 'python3-libtorrent',
  version: () => {
    const asked = spawnSync(PYTHON, ['-c', 'import libtorrent; print(libtorrent.__version__)'], { encoding: 'utf8' });
    return asked.status === 0 ? `libtorrent ${asked.stdout.trim()}` : undefined;
  },
  start: async ({ folder, peerPort, torrents }) => {
    const files = torrents.map(({ infoHash, file }) => {
      const path = join(folder, `${infoHash}.torrent`);
      writeFileSync(path, file);
      return path;
    });
    const child = spawn(PYTHON, [PROGRAM, folder, String(peerPort), ...files], { stdio: ['pipe', 'pipe', 'inherit'] });
    const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const nextLine = async (): Promise<string> => {
      const line = await lines.next();
      if (line.done === true) throw new Error('libtorrent has ended');
      return line.value;
    };
    await nextLine();
    return {
      status: async (infoHash) => {
        child.stdin.write('\n');
        const said = JSON.parse(await nextLine()) as Record<string, readonly [number, number]>;
        const [downloadedBytes, peers] = said[infoHash] ?? [0, 0];
        return { downloadedBytes, peers };
      },
      get isRunning() {
        return isRunning();
      },
      stop: async () => {
        if (!isRunning()) return;
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      },
    };
  },
};
