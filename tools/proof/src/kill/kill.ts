import { ProofBuyer, type BuyerMoment, type BuyerScript } from '../buyer/buyer.js';
import type { Scorecard } from '../scorecard.js';
import { finishChannels } from '../world/finish.js';
import { Miner } from '../world/miner.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { nameOf, type KillCase, type PointCase } from './cases.js';

const PIECES = 12;
/** kMin is 1 with the settlement fee of a quiet regtest: every payment is money. */
const PRICE_SAT = 1_000n;
const ATTEMPTS = 4;
const REACH_MS = 60_000;
const STATE_MS = 60_000;

/** Pulls each plug during live sales on one fleet, and looks at every satoshi afterwards. */
export async function proveKills(world: World, cases: readonly KillCase[], scores: Scorecard): Promise<void> {
  const goods = await world.sell('small', PIECES, PRICE_SAT);
  for (const one of cases) await scores.run(nameOf(one), () => runCase(world, goods, one));
  await scores.run('no contract key was handed out twice', async () => {
    const keys = (await world.database.channels()).map(({ sellerPublicKey }) => sellerPublicKey);
    return new Set(keys).size === keys.length ? [] : ['two channels have one key'];
  });
}

async function runCase(world: World, goods: Goods, one: KillCase): Promise<string[]> {
  const deathsOfSeller = world.deaths('node-1');
  const deathsBefore = world.deaths(one.process);
  const miner = new Miner(world);
  try {
    if (one.kind === 'point') {
      world.orders.give(one.process, one.point, one.passage);
      if (one.atStart) await world.kill(one.process);
      // Nodes register and report when they come back.
      else if (one.process === 'market-api' && one.point !== 'market.assignments.before-reply')
        await world.kill('node-1');
    }
    const buyers = [
      ...(await trade(world, goods, one, { pieces: PIECES }, true)),
      ...(await trade(
        world,
        goods,
        one,
        { pieces: 7, stay: one.kind === 'point' && one.ending === 'deadline' },
        false,
      )),
    ];
    miner.rest(one.kind === 'server' && (one.moment === 'settling' || one.moment === 'settled'));
    await afterwards(world, one, buyers);
    miner.rest(false);
    await finishChannels(world);
    const sweeps = one.kind === 'point' && one.ending === 'sweep' ? await sweep(world, one.process) : [];
    if (one.kind === 'point') {
      await waitFor(() => !world.orders.waits(one.process), REACH_MS, `${one.process} to pass ${one.point}`);
    }
    await waitFor(() => world.deaths(one.process) > deathsBefore, REACH_MS, `${one.process} to die`);
    await world.allUp();
    await finishChannels(world);
    const sellerDied = world.deaths('node-1') > deathsOfSeller;
    const faults = await Promise.all(buyers.map((buyer) => channelFaults(world, buyer, { sellerDied })));
    const complete = buyers.some(({ paid }) => paid === PIECES);
    return [...faults.flat(), ...sweeps, ...(complete ? [] : ['nobody could buy everything in the end'])];
  } finally {
    world.orders.withdraw(one.process);
    miner.stop();
  }
}

/** Buys; where the connection ends before everything is there, waits until the fleet is up and buys again. */
async function trade(
  world: World,
  goods: Goods,
  one: KillCase,
  script: BuyerScript,
  acts: boolean,
): Promise<ProofBuyer[]> {
  const buyers: ProofBuyer[] = [];
  let acted = !acts;
  const at = async (moment: BuyerMoment): Promise<void> => {
    if (acted || one.kind !== 'server' || one.moment !== moment) return;
    acted = true;
    await world.kill(one.process);
  };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await world.allUp();
    const buyer = new ProofBuyer(world.chain, goods.metainfo, { ...script, at });
    buyers.push(buyer);
    await buyer.play(world.node());
    if (buyer.paid === script.pieces) break;
    // A node that has just started needs a moment until it offers anything.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return buyers;
}

/** Sweeps what was earned while the settler dies over it; whoever asked asks again where nothing was stored. */
async function sweep(world: World, process: string): Promise<string[]> {
  const before = await world.database.sweeps();
  await world.market.sweep().catch(() => undefined);
  await waitFor(() => !world.orders.waits(process), REACH_MS, `${process} to die over a sweep`);
  await world.allUp();
  if ((await world.database.sweeps()) === before) await world.market.sweep();
  const made = (await world.database.sweeps()) - before;
  return made === 1 ? [] : [`${made} sweeps were made where one was to be`];
}

/** Lets the deadline of an open channel come. */
async function passDeadline(world: World, { process, point }: PointCase, deadlineMtp: number): Promise<void> {
  if (!point.startsWith('settler.deadline.')) return world.chain.moveMedianTo(deadlineMtp);
  // The node and the intake end the channel as well; where one of them is first, the settler finds nothing to close.
  await world.whileStopped(['node-1', 'channel-intake'], async () => {
    await world.chain.moveMedianTo(deadlineMtp);
    await waitFor(() => !world.orders.waits(process), REACH_MS, `${process} to pass ${point}`);
  });
}

/** What the case does once the sale is over. */
async function afterwards(world: World, one: KillCase, buyers: readonly ProofBuyer[]): Promise<void> {
  const first = buyers.find(({ paid }) => paid === PIECES);
  const txid = first?.funding?.txid;
  if (txid === undefined) return;
  const reaches = (...states: string[]): Promise<void> =>
    waitFor(
      async () => states.includes((await world.database.channelOfFunding(txid))?.state ?? ''),
      STATE_MS,
      `the channel to be ${states.join(' or ')}`,
    );
  if (one.kind === 'point') {
    if (one.ending === 'deadline') {
      const staying = buyers.find(({ closed }) => closed === undefined);
      const row = await world.database.channelOfFunding(staying?.funding?.txid ?? '');
      if (row === undefined || row.deadlineMtp === null) throw new Error('no channel with a deadline is left');
      // Only where others hold a settlement does the last one take its place.
      if (/\.(checkpoint|order)\./.test(one.point))
        await waitFor(() => world.database.isCheckpointFiled(row.id), STATE_MS, 'a checkpoint to be filed');
      await passDeadline(world, one, row.deadlineMtp);
    } else if (one.ending === 'reorganisation') {
      await reaches('settled', 'buried');
      await world.chain.reorganise(1);
    }
    return;
  }
  if (one.moment === 'settling') {
    await reaches('settling', 'settled', 'buried');
    await world.kill(one.process);
  } else if (one.moment === 'settled') {
    await reaches('settling', 'settled', 'buried');
    await world.chain.mine(1);
    await reaches('settled', 'buried');
    await world.kill(one.process);
  }
}
