import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ProofBuyer } from '../buyer/buyer.js';
import { loadBackup, takeBackup } from '../restore/backup.js';
import { buyOn, keysOf, newest, SERVICES, sellTo } from '../restore/sales.js';
import { channelOf } from '../world/states.js';
import { waitFor } from '../world/world.js';
import type { DrillSite } from './drill-site.js';
import { DRILL_MS, makeSales, moneyFaults, storedUpTo, type Drill } from './drill.js';

/** Payments of the sale that goes on when the disaster comes. */
const LAST_K = 7;

/** A fleet that goes on from older rows gives out no key twice, and says which channels it can't settle. */
async function restoredFaults(site: DrillSite, keys: ReadonlySet<string>, fresh: ProofBuyer, late: ProofBuyer) {
  const faults: string[] = [];
  const { sellerPublicKey } = await channelOf(site, fresh);
  if (keys.has(sellerPublicKey)) faults.push(`the key ${sellerPublicKey} was given out before`);
  if ((await site.database.channelOfFunding(late.funding?.txid ?? '')) !== undefined) {
    faults.push('a channel is known that was opened later');
  }
  return faults;
}

async function keptApart(site: DrillSite): Promise<string[]> {
  const parked = await site.database.query<{ code: string }>('SELECT DISTINCT "code" FROM channel.parked_payment');
  const isKept = parked.some(({ code }) => code === 'unknown-channel');
  const quarantined = await site.database.query('SELECT "nodeId" FROM channel.quarantined_node');
  return [
    ...(isKept ? [] : ['payments of the later channel were not kept']),
    ...(quarantined.length === 0 ? [] : ['an honest node is in quarantine']),
  ];
}

export const loseDatabase: Drill = {
  what: 'Postgres and its disks are gone',
  leavesFleet: false,
  async run(drill) {
    const { site, scores, goods } = drill;
    const { selling, left } = await makeSales(drill);
    await drill.before();
    const epoch = await newest(site);
    await buyOn(selling, LAST_K);
    await storedUpTo(site, selling, LAST_K);
    const late = await sellTo(site, goods);
    await storedUpTo(site, late, 3);
    const keys = await keysOf(site);
    site.kill('postgres');
    rmSync(site.databaseFolder(), { recursive: true, force: true });
    await scores.run('the page is followed: the fleet is back, from the backup and the broker', async () => {
      await drill.follow();
      await site.look();
      await waitFor(async () => (await newest(site)) > epoch, DRILL_MS, 'a new key epoch');
      await storedUpTo(site, selling, LAST_K);
      return [];
    });
    await scores.run('it sells, and every channel of the backup is settled once, to its last payment', async () => {
      const fresh = await sellTo(site, goods);
      const faults = await moneyFaults(site, [{ buyer: selling }, { buyer: left }, { buyer: fresh }]);
      return [...faults, ...(await restoredFaults(site, keys, fresh, late)), ...(await keptApart(site))];
    });
  },
};

export const loseSeedHost: Drill = {
  what: "the settler's host is gone, with the seed and its key",
  leavesFleet: true,
  async run(drill) {
    const { site, scores, goods } = drill;
    await drill.before();
    const { selling, left } = await makeSales(drill);
    const sales = await site.database.query('SELECT 1 FROM channel.key_epoch');
    rmSync(join(site.state, 'services', 'channel-settler'), { recursive: true, force: true });
    site.kill('channel-settler');
    let meanwhile: ProofBuyer | undefined;
    await scores.run('sales go on without a settler, and nothing is settled', async () => {
      meanwhile = await sellTo(site, goods);
      await buyOn(selling, LAST_K);
      await storedUpTo(site, selling, LAST_K);
      const { state } = await channelOf(site, meanwhile);
      return ['funded', 'closing'].includes(state) ? [] : [`a channel is ${state} with nobody to settle it`];
    });
    await scores.run('the page is followed: the settler starts with the old seed, and no other', async () => {
      await drill.follow();
      const isSettling = async (buyer: ProofBuyer): Promise<boolean> =>
        ['settling', 'settled', 'buried'].includes((await channelOf(site, buyer)).state);
      const buyer = meanwhile;
      // Its supervisor tries a settler ever less often that has no seed, half a minute apart in the end.
      if (buyer !== undefined) await waitFor(() => isSettling(buyer), DRILL_MS, 'a settlement to be made');
      const now = await site.database.query('SELECT 1 FROM channel.key_epoch');
      return now.length === sales.length ? [] : ['another epoch of keys was begun'];
    });
    await scores.run('every channel is settled once, to its last payment', async () => {
      await selling.leave();
      const fresh = await sellTo(site, goods);
      const buyers = [selling, left, fresh, ...(meanwhile === undefined ? [] : [meanwhile])];
      return moneyFaults(
        site,
        buyers.map((buyer) => ({ buyer })),
      );
    });
  },
};

export const loseSite: Drill = {
  what: 'everything is gone but backup, seed key and chain',
  leavesFleet: false,
  async run(drill) {
    const { site, scores, goods } = drill;
    const { selling, left } = await makeSales(drill);
    await drill.before();
    const { k: keptK } = await channelOf(site, selling);
    const epoch = await newest(site);
    await buyOn(selling, LAST_K);
    await storedUpTo(site, selling, LAST_K);
    const late = await sellTo(site, goods);
    const keys = await keysOf(site);
    await site.destroy();
    await scores.run('the page is followed: the fleet is back on another machine', async () => {
      await drill.follow();
      await site.look(site.operator.variables['NEW']);
      await waitFor(async () => (await newest(site)) > epoch, DRILL_MS, 'a new key epoch');
      return [];
    });
    await scores.run(
      'it sells, and every channel of the backup is settled once, to the payment of the backup',
      async () => {
        const again = await site.sell('sold-elsewhere', 4, 1_000n);
        const fresh = await sellTo(site, again);
        const faults = await moneyFaults(site, [{ buyer: selling, keptK }, { buyer: left }, { buyer: fresh }]);
        const lostSat = goods.priceSat * BigInt(LAST_K - keptK + late.paid);
        scores.line(`    paid after the backup, and lost with the broker: ${lostSat} sat`);
        return [...faults, ...(await restoredFaults(site, keys, fresh, late))];
      },
    );
  },
};

export const staleRestore: Drill = {
  what: 'the database is put back to an older state while the fleet runs',
  leavesFleet: true,
  async run(drill) {
    const { site, scores, goods } = drill;
    const { selling, left } = await makeSales(drill);
    const old = await takeBackup(site.database.url);
    const epoch = await newest(site);
    await buyOn(selling, LAST_K);
    await storedUpTo(site, selling, LAST_K);
    await buried(site, left);
    const sent = site.spends.spendersOf(left.funding?.txid ?? '', 0);
    const late = await sellTo(site, goods);
    await storedUpTo(site, late, 3);
    const keys = await keysOf(site);
    await loadBackup(site.database.url, old, () => Promise.resolve(site.kill(...SERVICES)));
    await scores.run('the page is followed: everything goes on from the broker, with new keys', async () => {
      await drill.follow();
      await site.look();
      await waitFor(async () => (await newest(site)) > epoch, DRILL_MS, 'a new key epoch');
      await storedUpTo(site, selling, LAST_K);
      return [];
    });
    await scores.run('what was settled is settled the same, the rest to its last payment, each once', async () => {
      const fresh = await sellTo(site, goods);
      const faults = await moneyFaults(site, [{ buyer: selling }, { buyer: left }, { buyer: fresh }]);
      const { settlementTxid } = await channelOf(site, left);
      if (!sent.includes(settlementTxid ?? ''))
        faults.push(`settled anew as ${settlementTxid}, before as ${sent.join()}`);
      return [...faults, ...(await restoredFaults(site, keys, fresh, late)), ...(await keptApart(site))];
    });
  },
};

async function buried(site: DrillSite, buyer: ProofBuyer): Promise<void> {
  const isBuried = async (): Promise<boolean> => {
    if ((await channelOf(site, buyer)).state === 'buried') return true;
    await site.chain.mine(1);
    return false;
  };
  await waitFor(isBuried, DRILL_MS, 'a settlement to be buried');
}
