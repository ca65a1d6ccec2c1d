import { join } from 'node:path';
import { backUp, hasSeed, restoreBackup, restoreSeed, type BackupSource } from '@seedfleet/fleet';
import type { World } from '../world/world.js';
import { ProofDatabase } from '../world/database.js';

const PASSPHRASE = new Uint8Array(Buffer.from('a passphrase for the backup'));

/** The fleet's backup where the seed is with a signer elsewhere: it has none, says so, and comes back without one. */
export async function seedlessFaults(world: World): Promise<string[]> {
  const { run, state } = world.fleet;
  const folder = join(world.folder, 'seedless');
  const source: BackupSource = { seed: null, databaseUrl: run.postgres, network: run.network, fleetId: run.id };
  const manifest = await backUp(source, folder, PASSPHRASE);
  const faults: string[] = [];
  if (hasSeed(manifest) || manifest.seedId === null) faults.push('it has a seed, or knows of none');
  const seed = {
    seedFile: join(world.folder, 'none.json'),
    keyFile: state.file('services', 'channel-settler', 'seed.key'),
  };
  const brought = await restoreSeed(folder, seed, PASSPHRASE).then(
    () => 'a seed came out of it',
    (refusal: unknown) => (String(refusal).includes('has no seed') ? '' : String(refusal)),
  );
  if (brought !== '') faults.push(brought);
  await world.database.query('CREATE DATABASE seedless');
  const databaseUrl = new URL(run.postgres);
  databaseUrl.pathname = '/seedless';
  await restoreBackup(folder, { databaseUrl: databaseUrl.href, seed: null }, PASSPHRASE);
  const restored = new ProofDatabase(databaseUrl.href);
  try {
    const [was, is] = await Promise.all([world.database.channels(), restored.channels()]);
    if (is.length === 0 || is.length !== was.length) faults.push(`${is.length} of ${was.length} channels came back`);
    faults.push(...(await restored.differences()));
  } finally {
    await restored.close();
  }
  return faults;
}
