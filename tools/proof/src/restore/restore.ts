import type { ProofBuyer } from '../buyer/buyer.js';
import type { Scorecard } from '../scorecard.js';
import { finishChannels } from '../world/finish.js';
import { channelOf, reaches } from '../world/states.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { loadBackup, takeBackup, type Backup } from './backup.js';
import { proveLostSite } from './lost-site.js';
import { beginSale, buyOn, epochsOf, keysOf, newest, RESTORED_MS, SERVICES, sellTo } from './sales.js';

const PIECES = 12;
const PRICE_SAT = 1_000n;

/** Who was where when the backup was taken, and what happened afterwards. */
interface Lives {
  /** Half paid at the backup, paid on after it, still connected at the disaster. */
  readonly selling: ProofBuyer;
  /** Half paid at the backup, settled and buried after it. */
  readonly finished: ProofBuyer;
  /** Opened, paid and left after the backup: the restored database has never heard of it. */
  readonly forgotten: ProofBuyer;
}

/** Loads an older copy of the database under a running fleet, twice, and looks for keys and payments. */
export async function proveRestore(world: World, short: boolean, scores: Scorecard): Promise<void> {
  const goods = await world.sell('restored', PIECES, PRICE_SAT);
  const { backup, lives } = await live(world, goods);
  const handedOut = await keysOf(world);
  let epochs = await epochsOf(world);
  for (const round of short ? ['a stale copy'] : ['a stale copy', 'the same copy once more']) {
    await scores.run(`${round}: a new key epoch, and no key twice`, async () => {
      await restore(world, backup);
      await waitFor(async () => (await newest(world)) > Math.max(...epochs), RESTORED_MS, 'a new key epoch');
      epochs = [...epochs, await newest(world)];
      const late = await sellTo(world, goods);
      const { sellerPublicKey, keyEpoch } = await channelOf(world, late);
      const faults = handedOut.has(sellerPublicKey) ? [`key ${sellerPublicKey} was handed out before`] : [];
      if (keyEpoch !== epochs.at(-1)) faults.push(`the key is of epoch ${keyEpoch}`);
      handedOut.add(sellerPublicKey);
      return faults;
    });
    if (round === 'a stale copy')
      await scores.run('payments newer than the copy come back', () => replayed(world, lives));
  }
  if (!short) {
    await scores.run('a channel newer than the copy: refused by name, its node trusted on', () =>
      unknown(world, lives),
    );
  }
  await proveLostSite(world, goods, scores);
}

/** A sale before and after the backup. */
async function live(world: World, goods: Goods): Promise<{ backup: Backup; lives: Lives }> {
  const { chain } = world;
  const [selling, finished] = [await beginSale(world, goods), await beginSale(world, goods)];
  const backup = await takeBackup(world.database.url);
  await buyOn(selling, 9);
  await buyOn(finished, 7);
  await finished.leave();
  await waitFor(
    async () => {
      if ((await channelOf(world, finished)).state === 'buried') return true;
      await chain.mine(1);
      return false;
    },
    RESTORED_MS,
    'a settlement to be buried',
  );
  const forgotten = await sellTo(world, goods);
  await reaches(world, forgotten, 'closing', 'settling');
  await waitFor(async () => (await channelOf(world, selling)).k === 9, RESTORED_MS, 'nine payments to be stored');
  return { backup, lives: { selling, finished, forgotten } };
}

async function restore(world: World, backup: Backup): Promise<void> {
  await loadBackup(world.database.url, backup, async () => {
    for (const name of SERVICES) await world.kill(name);
  });
  await world.allUp();
}

/** What the stream still has is in the books again, and what was settled before is settled the same. */
async function replayed(world: World, { selling, finished }: Lives): Promise<string[]> {
  const before = world.spends.spendersOf(finished.funding?.txid ?? '', 0);
  await waitFor(async () => (await channelOf(world, selling)).k === 9, RESTORED_MS, 'nine payments to be back');
  await selling.leave();
  await finishChannels(world);
  const faults = [
    ...(await channelFaults(world, selling, { sellerDied: false })),
    ...(await channelFaults(world, finished, { sellerDied: false })),
  ];
  const { settlementTxid } = await channelOf(world, finished);
  if (!before.includes(settlementTxid ?? ''))
    faults.push(`settled anew as ${settlementTxid}, before as ${before.join()}`);
  return faults;
}

/** Nothing can be settled without its row; its payments are kept for a person, and its node did nothing wrong. */
async function unknown(world: World, { forgotten }: Lives): Promise<string[]> {
  const faults: string[] = [];
  const parked = await world.database.query<{ code: string }>('SELECT DISTINCT "code" FROM channel.parked_payment');
  if (!parked.some(({ code }) => code === 'unknown-channel')) faults.push('its payments were not kept');
  const quarantined = await world.database.query('SELECT "nodeId" FROM channel.quarantined_node');
  if (quarantined.length > 0) faults.push('an honest node is quarantined');
  if (forgotten.funding === undefined) faults.push('it was never funded');
  return faults;
}
