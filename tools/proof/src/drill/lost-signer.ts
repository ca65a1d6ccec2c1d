import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProofBuyer } from '../buyer/buyer.js';
import { buyOn, epochsOf, sellTo } from '../restore/sales.js';
import { linesIn, lineFaults } from '../signer/signing-file.js';
import { channelOf, reaches } from '../world/states.js';
import { waitFor } from '../world/world.js';
import type { DrillSite } from './drill-site.js';
import { DRILL_MS, makeSales, moneyFaults, storedUpTo, type Drill, type DrillRun } from './drill.js';

const SIGNED: readonly string[] = ['settling', 'settled', 'buried'];

/** A signer of its own whose disk is gone, twice: with a copy of seed and log, and with the seed alone. */
export const loseSignerHost: Drill = {
  what: 'the host of a signer of its own is gone: there is a copy of seed and log, or the seed alone',
  leavesFleet: true,
  remoteSigner: true,
  async run(drill) {
    const { site, scores, goods } = drill;
    const early = await sellTo(site, goods);
    await reaches(site, early, ...SIGNED);
    await drill.before();
    const { selling, left } = await makeSales(drill);
    // Signed after the copy: it lacks this one.
    await reaches(site, left, ...SIGNED);
    const epochs = await epochsOf(site);
    const buyers = [early, selling, left];

    await scores.run('sales go on without a signer, and what ends waits', async () => {
      loseHost(site);
      const { waiting, faults } = await sellWithout(drill);
      buyers.push(waiting);
      await buyOn(selling, 7);
      await storedUpTo(site, selling, 7);
      return faults;
    });
    await scores.run(
      'the page is followed: the signer signs on with the old seed, on the copy of its log',
      async () => {
        await drill.follow();
        await allSigned(site, buyers.slice(3));
        const kinds = linesIn(logOf(site)).map(({ kind }) => kind);
        return [
          ...(await sameEpochs(site, epochs)),
          ...(kinds.includes('restored') ? [] : ['its log knows of no loss']),
        ];
      },
    );
    await scores.run('lost once more, with the seed alone: a new log that says so, and the same keys', async () => {
      loseHost(site);
      const { waiting, faults } = await sellWithout(drill);
      buyers.push(waiting);
      await drill.followOtherwise();
      await allSigned(site, buyers.slice(3));
      const kinds = linesIn(logOf(site)).map(({ kind }) => kind);
      if (kinds[0] !== 'begun' || kinds[1] !== 'restored')
        faults.push(`its log begins with ${kinds.slice(0, 2).join()}`);
      return [...faults, ...(await sameEpochs(site, epochs))];
    });
    await scores.run('every channel is settled once, to its last payment', async () => {
      await selling.leave();
      buyers.push(await sellTo(site, goods));
      const faults = await moneyFaults(
        site,
        buyers.map((buyer) => ({ buyer })),
      );
      return [...faults, ...lineFaults(linesIn(logOf(site)))];
    });
  },
};

const logOf = ({ operator }: DrillSite): string => operator.variables['SIGNING_LOG'] ?? '';

/** Its processes and its disk: seed, key and log. */
function loseHost(site: DrillSite): void {
  const { SEED_FILE: seed = '', SIGNING_LOG: log = '' } = site.operator.variables;
  for (const file of [seed, log]) rmSync(dirname(file), { recursive: true });
  site.kill('channel-signer');
}

/** A sale that ends while nobody can sign. */
async function sellWithout({ site, goods }: DrillRun): Promise<{ waiting: ProofBuyer; faults: string[] }> {
  const waiting = await sellTo(site, goods);
  await waitFor(async () => (await channelOf(site, waiting)).frozenK !== null, DRILL_MS, 'a channel to close');
  const { state, stateReason } = await channelOf(site, waiting);
  return { waiting, faults: state === 'closing' ? [] : [`without a signer a channel is ${state} (${stateReason})`] };
}

/** A supervisor tries a signer ever less often that has no seed, half a minute apart in the end. */
function allSigned(site: DrillSite, buyers: readonly ProofBuyer[]): Promise<void> {
  return waitFor(
    async () => {
      const rows = await Promise.all(buyers.map((buyer) => channelOf(site, buyer)));
      return rows.every(({ state }) => SIGNED.includes(state));
    },
    DRILL_MS,
    'what waited to be signed',
  );
}

async function sameEpochs(site: DrillSite, epochs: readonly number[]): Promise<string[]> {
  const now = await epochsOf(site);
  return now.length === epochs.length ? [] : ['another epoch of keys was begun'];
}
