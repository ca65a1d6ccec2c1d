import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backUp, restoreBackup, verifyBackup, type BackupSource } from '@seedfleet/fleet';
import type { ProofBuyer } from '../buyer/buyer.js';
import type { Scorecard } from '../scorecard.js';
import { channelOf } from '../world/states.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { putBackFaults } from './put-back.js';
import { beginSale, buyOn, keysOf, newest, RESTORED_MS, sellTo } from './sales.js';

const PASSPHRASE = new Uint8Array(Buffer.from('a passphrase for the backup'));

/**
 * The whole of Postgres and the seed gone, and brought back from an encrypted backup taken while channels were open: all of
 * those settle, to the last payment where the broker still has it, and what came later is reported.
 */
export async function proveLostSite(world: World, goods: Goods, scores: Scorecard): Promise<void> {
  const source = sourceOf(world);
  const folder = join(world.folder, 'backup');
  const open = await beginSale(world, goods);
  const left = await sellTo(world, goods);
  const manifest = await backUp(source, folder, PASSPHRASE);
  const epoch = await newest(world);

  await scores.run('a backup with a changed byte, or another passphrase: refused', () => damaged(folder));
  await scores.run('database and seed destroyed: every channel of the backup settles', async () => {
    await buyOn(open, 7);
    const late = await sellTo(world, goods);
    await waitFor(async () => (await channelOf(world, open)).k === 7, RESTORED_MS, 'seven payments to be stored');
    const keys = await keysOf(world);
    await destroy(world, source);
    await restoreBackup(folder, source, PASSPHRASE);
    const faults = await putBackFaults(world, goods, { open, left, epoch, keys });
    faults.push(...(await reported(world, late)));
    const known = Object.values(manifest.channels).reduce((sum, count) => sum + count, 0);
    if (known < 2) faults.push(`the backup tells of ${known} channels`);
    return faults;
  });
}

function sourceOf(world: World): BackupSource {
  const { run, state } = world.fleet;
  const seeds = state.file('services', 'channel-settler');
  const files = { seedFile: join(seeds, 'seed.json'), keyFile: join(seeds, 'seed.key') };
  return { seed: files, databaseUrl: run.postgres, network: run.network, fleetId: run.id };
}

async function destroy(world: World, { seed }: BackupSource): Promise<void> {
  await world.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await world.database.query('DROP SCHEMA chain, channel, market, public CASCADE');
  await world.database.query('CREATE SCHEMA public');
  if (seed !== null) rmSync(seed.seedFile);
}

/** Flips one bit of each file in turn. */
async function damaged(folder: string): Promise<string[]> {
  const faults: string[] = [];
  const isRefused = (passphrase: Uint8Array): Promise<boolean> =>
    verifyBackup(folder, passphrase).then(
      () => false,
      () => true,
    );
  if (!(await isRefused(new Uint8Array([1])))) faults.push('another passphrase opens it');
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    changed[Math.floor(changed.length / 2)]! ^= 1;
    writeFileSync(path, changed);
    if (!(await isRefused(PASSPHRASE))) faults.push(`${name} may be changed`);
    writeFileSync(path, whole);
  }
  if (await isRefused(PASSPHRASE)) faults.push('the whole backup is refused');
  return faults;
}

/** Nobody has the key's place of a channel that the backup does not know; its payments are kept, by name. */
async function reported(world: World, late: ProofBuyer): Promise<string[]> {
  const parked = await world.database.query<{ code: string }>('SELECT DISTINCT "code" FROM channel.parked_payment');
  if (!parked.some(({ code }) => code === 'unknown-channel')) return ['payments of the later channel were not kept'];
  if (late.funding !== undefined && (await world.database.channelOfFunding(late.funding.txid)) !== undefined) {
    return ['the later channel is known'];
  }
  return [];
}
