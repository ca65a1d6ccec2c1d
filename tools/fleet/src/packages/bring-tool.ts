import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Supervisor } from '../supervise/supervisor.js';
import { bringPackage, broughtBinaries, cacheFolder, type DebianPackage } from './debian-package.js';

/**
 * The folder with the programs of a Debian package that a test or a check needs, brought into the shared cache when it
 * is not there. Rejects with `FleetError` where it can't be had.
 */
export async function bringTool(wanted: DebianPackage): Promise<string> {
  const cache = cacheFolder(process.env);
  const brought = broughtBinaries(wanted, cache);
  if (brought !== undefined) return brought;
  const folder = await mkdtemp(join(tmpdir(), 'seedfleet-bring-'));
  const supervisor = new Supervisor(folder, () => undefined);
  try {
    return await bringPackage(wanted, cache, supervisor);
  } finally {
    await supervisor.stopAll();
    await rm(folder, { recursive: true, force: true });
  }
}
