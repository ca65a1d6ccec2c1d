import { ProofBuyer, type BuyerScript } from '../buyer/buyer.js';
import type { Scorecard } from '../scorecard.js';
import { finishChannels } from '../world/finish.js';
import { channelOf, movesBack, reaches, storyOf, storyText } from '../world/states.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';

const PIECES = 12;
const PRICE_SAT = 1_000n;
/** Confirmations at which a settlement is final. */
const BURIAL = 6;
const MOVE_MS = 45_000;
/** Longer than a piece needs on its way, and than the news of a vanished funding. */
const SILENCE_MS = 5_000;

/** Channels that are in one state each when the blocks go. */
interface Cast {
  /** Funding in the mempool. */
  readonly seen: ProofBuyer;
  /** Funding in the blocks that go; being served. */
  readonly funded: ProofBuyer;
  /** Settlement in the mempool. */
  readonly settling: ProofBuyer;
  /** Settlement in the blocks that go. */
  readonly settled: ProofBuyer;
  /** Settlement just deep enough to be final; it goes only with all of its blocks. */
  readonly buried: ProofBuyer;
}

/** Takes blocks away from under channels in every state, and double-spends a funding in a new branch. */
export async function proveReorganisations(world: World, depths: readonly number[], scores: Scorecard): Promise<void> {
  const goods = await world.sell('reorganised', PIECES, PRICE_SAT);
  for (const depth of depths) {
    await scores.run(`a reorganisation of ${depth} under every state`, () => underEveryState(world, goods, depth));
  }
  await scores.run('a funding that is double-spent in the new branch', () => vanishedFunding(world, goods));
}

async function underEveryState(world: World, goods: Goods, depth: number): Promise<string[]> {
  const { chain } = world;
  const cast = await stage(world, goods, depth);
  await chain.reorganise(depth);
  const faults: string[] = [];
  const back = async (buyer: ProofBuyer, from: string, to: string): Promise<void> => {
    await waitFor(async () => movesBack(await storyOf(world, buyer), from, to), MOVE_MS, `${from} to be ${to}`).catch(
      async () => faults.push(`never back from ${from} to ${to}: ${storyText(await storyOf(world, buyer))}`),
    );
  };
  await back(cast.funded, 'funded', 'funding-seen');
  await back(cast.settled, depth < BURIAL ? 'settled' : 'buried', 'settling');
  if (depth >= BURIAL) await back(cast.buried, 'buried', 'settling');
  // The node forgets its mempool with its death: only who still wants the settlements mined brings them back.
  await world.kill('bitcoin');
  await world.allUp();
  const { settlementTxid } = await channelOf(world, cast.settled);
  await waitFor(
    async () => (await chain.mempool()).includes(settlementTxid ?? ''),
    MOVE_MS,
    'the settlement to be broadcast again',
  ).catch((failure: unknown) => faults.push(String(failure)));
  const all = Object.values(cast) as ProofBuyer[];
  // What is in the mempool of before may be mined again, and what was served goes on.
  await chain.mine(1);
  await Promise.all([cast.seen, cast.funded].map((buyer) => buyer.leave()));
  await finishChannels(world);
  for (const buyer of all) faults.push(...(await channelFaults(world, buyer, { sellerDied: false })));
  return faults;
}

/** Brings five channels into their states, with exactly so many blocks on the settled one and the funded one. */
async function stage(world: World, goods: Goods, depth: number): Promise<Cast> {
  const { chain } = world;
  const done = async (): Promise<ProofBuyer> => {
    const buyer = await buy(world, goods, { pieces: 6 }, true);
    await reaches(world, buyer, 'settling');
    return buyer;
  };
  const [buried, settled, settling] = [await done(), await done(), await done()];
  await shows(world, [buried, settled, settling]);
  const seen = await buy(world, goods, { pieces: 0, stay: true }, false);
  await reaches(world, seen, 'funding-seen');
  // Zero-conf may let the first pieces go before the block; the rest follows with it.
  const funded = new ProofBuyer(chain, goods.metainfo, { pieces: 5, stay: true });
  const playing = funded.play(world.node());
  await waitFor(() => funded.funding !== undefined, MOVE_MS, 'a buyer to fund');
  const ofBuried = await settlementOf(world, buried);
  const gone = [await settlementOf(world, settled), funded.funding?.txid ?? ''];
  if (depth < BURIAL) {
    await chain.mineOnly([ofBuried]);
    for (let made = 1; made < BURIAL - depth; made += 1) await chain.mineOnly();
    await chain.mineOnly(gone);
  } else await chain.mineOnly([ofBuried, ...gone]);
  for (let made = 1; made < depth; made += 1) await chain.mineOnly();
  await playing;
  await reaches(world, funded, 'funded');
  await reaches(world, settled, depth < BURIAL ? 'settled' : 'buried');
  await reaches(world, buried, 'buried');
  return { seen, funded, settling, settled, buried };
}

/** Plays a buyer; its funding alone is mined where wanted. */
async function buy(world: World, goods: Goods, script: BuyerScript, mineFunding: boolean): Promise<ProofBuyer> {
  const { chain } = world;
  const buyer = new ProofBuyer(chain, goods.metainfo, {
    ...script,
    at: async (moment, { funding }) => {
      if (moment === 'funded' && mineFunding) await chain.mineOnly([funding?.txid ?? '']);
    },
  });
  await buyer.play(world.node());
  if (buyer.closed !== undefined && buyer.closed !== 'left') throw new Error(`the seller closed: ${buyer.closed}`);
  return buyer;
}

async function settlementOf(world: World, buyer: ProofBuyer): Promise<string> {
  const { settlementTxid } = await channelOf(world, buyer);
  if (settlementTxid === null) throw new Error('no settlement is stored');
  return settlementTxid;
}

/** Waits until the settlements are in the node's mempool. */
async function shows(world: World, buyers: readonly ProofBuyer[]): Promise<void> {
  for (const buyer of buyers) {
    const txid = await settlementOf(world, buyer);
    await waitFor(async () => (await world.chain.mempool()).includes(txid), MOVE_MS, `settlement ${txid} to be sent`);
  }
}

/** Reasons of a channel whose funding is not there, by how much is known of its rival. */
const MISSED = new Set(['funding-vanished', 'funding-conflict', 'funding-double-spent']);

/** The funding is replaced in a new branch while the channel is served: nothing more leaves, and nothing is settled. */
async function vanishedFunding(world: World, goods: Goods): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, goods, { pieces: 5, stay: true }, true);
  await reaches(world, buyer, 'funded');
  const conflict = await chain.doubleSpend(buyer.funding?.hex ?? '');
  await chain.reorganise(1, [conflict]);
  // In between the funding is in the mempool again, where it may have its unconfirmed allowance.
  await waitFor(
    async () => (await storyOf(world, buyer)).some(({ reason }) => MISSED.has(reason)),
    MOVE_MS,
    'the funding to be missed',
  );
  const row = await channelOf(world, buyer);
  const faults: string[] = [];
  const { received } = buyer;
  buyer.requestMore();
  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
  if (buyer.received > received) faults.push(`a piece left after the funding had vanished (${row.state})`);
  await buyer.leave();
  await finishChannels(world);
  const end = await channelOf(world, buyer);
  if (end.state !== 'lost') faults.push(`it ended as ${storyText(await storyOf(world, buyer))}`);
  if ((await world.database.broadcastsOf(end.id)).length > 1) faults.push('two settlements were broadcast');
  return faults;
}
