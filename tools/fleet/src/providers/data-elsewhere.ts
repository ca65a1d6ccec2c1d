import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StateDir } from '../state/state-dir.js';
import { canReach, type Owner } from './server-owner.js';

/**
 * Places for data of servers that run as another user and can't reach the state folder: among the system's variable
 * data, and where that can't be written, in the temporary folder that outlives a reboot.
 */
const BASES = ['/var/lib/seedfleet', '/var/tmp/seedfleet'];
/** Names the state folder that the data belong to. */
const OWNER_FILE = 'state-folder';

/** A folder for this fleet outside its state folder, reachable by the owner; undefined when there is none. */
export function folderElsewhere(state: StateDir, owner: Owner | undefined): string | undefined {
  for (const base of BASES) {
    const folder = join(base, state.id);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      // Below a folder that anybody may write to, somebody else's may lie in wait.
      if (lstatSync(folder).uid !== process.getuid?.() || !canReach(folder, owner)) continue;
      writeFileSync(join(folder, OWNER_FILE), `${state.path}\n`);
      clearOrphans(base);
      return folder;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Removes the data of fleets whose state folder was in the system's temporary folder and is gone: tests leave such.
 * Any other fleet's data stay, since its state folder may only be out of reach for a while.
 */
function clearOrphans(base: string): void {
  for (const entry of readdirSync(base)) {
    const folder = join(base, entry);
    const file = join(folder, OWNER_FILE);
    if (!existsSync(file)) continue;
    const stateFolder = readFileSync(file, 'utf8').trim();
    if (!stateFolder.startsWith(`${tmpdir()}/`) || existsSync(stateFolder)) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}
