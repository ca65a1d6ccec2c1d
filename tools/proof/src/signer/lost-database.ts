import { join } from 'node:path';
import { backUp, restoreBackup, type BackupSource } from '@seedfleet/fleet';
import type { ProofBuyer } from '../buyer/buyer.js';
import { putBackFaults } from '../restore/put-back.js';
import { beginSale, buyOn, keysOf, newest, RESTORED_MS, sellTo } from '../restore/sales.js';
import { channelOf, reaches } from '../world/states.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { linesIn, signingLogOf } from './signing-file.js';

const PASSPHRASE = new Uint8Array(Buffer.from('a passphrase for the backup'));

/**
 * The database destroyed and brought back from an older backup while the signer lives on: its log has a later settlement of a
 * channel than the database knows payments, and one of a channel that the database does not know.
 */
export async function lostDatabaseFaults(world: World, goods: Goods): Promise<string[]> {
  const { run } = world.fleet;
  const source: BackupSource = { seed: null, databaseUrl: run.postgres, network: run.network, fleetId: run.id };
  const folder = join(world.folder, 'stale');
  const open = await beginSale(world, goods);
  const left = await sellTo(world, goods);
  await backUp(source, folder, PASSPHRASE);
  const epoch = await newest(world);
  await buyOn(open, 7);
  await waitFor(() => isSigned(world, open, 7), RESTORED_MS, 'a checkpoint of the seventh payment');
  await reaches(world, left, 'settling', 'settled', 'buried');
  const late = await sellTo(world, goods);
  const lateSpends = () => world.spends.spendersOf(late.funding?.txid ?? '', late.funding?.vout ?? 0);
  // Sent, and not only signed: what is signed and stored is gone with the database.
  await waitFor(() => lateSpends().length > 0, RESTORED_MS, 'a settlement to be sent');
  const keys = await keysOf(world);
  const before = linesIn(signingLogOf(world)).length;

  await destroyed(world);
  await restoreBackup(folder, source, PASSPHRASE);
  const faults = await putBackFaults(world, goods, { open, left, epoch, keys });
  if ((await world.database.channelOfFunding(late.funding?.txid ?? '')) !== undefined)
    faults.push('a channel is known that was opened later');
  const { length } = lateSpends();
  if (length !== 1) faults.push(`the channel that was forgotten has ${length} settlements`);
  if (linesIn(signingLogOf(world)).length <= before) faults.push('nothing was signed after it');
  return faults;
}

async function isSigned(world: World, buyer: ProofBuyer, k: number): Promise<boolean> {
  const { keyEpoch, keyIndex } = await channelOf(world, buyer);
  return linesIn(signingLogOf(world)).some((line) => line.path === `${keyEpoch}/${keyIndex}` && line.k === k);
}

/** Everything of the services' in it, under services that go on asking. */
async function destroyed(world: World): Promise<void> {
  await world.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await world.database.query('DROP SCHEMA chain, channel, market, public CASCADE');
  await world.database.query('CREATE SCHEMA public');
}
