import {
  bestEcdsa,
  fromHex,
  isCollectable,
  LOCK_UNIT_SECONDS,
  MAX_SETTLEMENT_BYTES,
  netSat,
  toHex,
} from '@seedfleet/payment-channel';
import { buildChild, buildRefund, buildSweep, scriptOfAddress, type Coin } from '@seedfleet/wallet';
import { ProofBuyer, type BuyerScript } from '../buyer/buyer.js';
import type { Scorecard } from '../scorecard.js';
import { decode } from '../world/chain.js';
import { finishChannels } from '../world/finish.js';
import { sellerKeys } from '../world/seller-keys.js';
import { channelOf, reaches, storyOf, storyText } from '../world/states.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';

const ecdsa = bestEcdsa();
const RATE_SAT_PER_KVB = 2_000n;
const CHILD_RATE_SAT_PER_KVB = 5_000n;
const MOVE_MS = 45_000;
const SILENCE_MS = 4_000;
/** Two looks of the settler at a settlement in the mempool. */
const LOOK_MS = 90_000;
/** Deep enough to be final. */
const BURIAL = 6;

/** Pieces at 1,000 sat are money from the first; at 200 sat the fifth payment is the first with a seller output. */
interface Shop {
  readonly dear: Goods;
  readonly cheap: Goods;
}

type PathProof = (world: World, shop: Shop) => Promise<string[]>;

/** Every way in which a funding output can be spent, on a real node. */
export async function proveSpendingPaths(world: World, short: boolean, scores: Scorecard): Promise<void> {
  const shop = { dear: await world.sell('dear', 12, 1_000n), cheap: await world.sell('cheap', 40, 200n) };
  for (const [name, prove, isShort] of PATHS) {
    if (isShort || !short) await scores.run(name, () => prove(world, shop));
  }
}

const PATHS: readonly (readonly [string, PathProof, boolean])[] = [
  ['a settlement that pays us', settlementThatPays, true],
  ['a settlement below kMin returns the change', settlementBelowMin, true],
  ['one payment too small to be relayed is left to the refund', tooSmallToSettle, false],
  ['a settlement at kCap', settlementAtCap, false],
  ['a settlement at the deadline, before the refund matures', settlementAtDeadline, true],
  ['a refund: refused early, mined late', refundEarlyAndLate, true],
  ['a refund beside a settlement that was mined', settlementWins, false],
  ['a refund mined before the settlement', refundWins, true],
  ['a child that pays for its settlement', childOfSettlement, false],
  ['a child that is replaced block by block, and an earlier one mined', childReplaced, false],
  ['a sweep of what was earned', sweepOfEarnings, false],
  // The last one: it leaves a mempool that takes nothing cheap.
  ["a settlement under the node's minimum comes in with its child", settlementUnderMinimum, true],
];

/** Buys, with the funding mined at once. */
async function buy(world: World, goods: Goods, script: BuyerScript): Promise<ProofBuyer> {
  const buyer = new ProofBuyer(world.chain, goods.metainfo, {
    ...script,
    at: async (moment, { funding }) => {
      if (moment === 'funded') await world.chain.mineOnly([funding?.txid ?? '']);
    },
  });
  await buyer.play(world.node());
  return buyer;
}

/** Follows channels to their ends and looks at their money. */
async function settled(world: World, ...buyers: readonly ProofBuyer[]): Promise<string[]> {
  await finishChannels(world);
  const faults = await Promise.all(buyers.map((buyer) => channelFaults(world, buyer, { sellerDied: false })));
  return faults.flat();
}

async function settlementThatPays(world: World, { dear }: Shop): Promise<string[]> {
  const buyer = await buy(world, dear, { pieces: 9 });
  const faults = await settled(world, buyer);
  const { k, state } = await channelOf(world, buyer);
  return k === 9 && state === 'buried' ? faults : [...faults, `k is ${k} and the channel ${state}`];
}

async function settlementBelowMin(world: World, { cheap }: Shop): Promise<string[]> {
  const buyer = await buy(world, cheap, { pieces: 3 });
  const faults = await settled(world, buyer);
  const { k, state, settlementTxid } = await channelOf(world, buyer);
  const found = await world.chain.transaction(settlementTxid ?? '');
  const outputs = found === undefined ? [] : decode(found.hex).outputs;
  if (k !== 3 || state !== 'returned') faults.push(`k is ${k} and the channel ${state}`);
  if (outputs.length !== 1) faults.push(`the settlement has ${outputs.length} outputs`);
  return faults;
}

async function tooSmallToSettle(world: World, { cheap }: Shop): Promise<string[]> {
  const buyer = await buy(world, cheap, { pieces: 1 });
  const faults = await settled(world, buyer);
  const { state, stateReason } = await channelOf(world, buyer);
  return state === 'nothing-owed' ? faults : [...faults, `it is ${state} (${stateReason})`];
}

async function settlementAtCap(world: World, { dear }: Shop): Promise<string[]> {
  // The deposit covers exactly the pieces: the last payment ends the channel, whatever the buyer does.
  const buyer = await buy(world, dear, { spare: 0, stay: true });
  await reaches(world, buyer, 'closing', 'settling', 'settled', 'buried');
  const faults = await settled(world, buyer);
  const story = await storyOf(world, buyer);
  const { k, kCap } = await channelOf(world, buyer);
  if (!story.some(({ reason }) => reason === 'k-cap')) faults.push(`closed otherwise: ${storyText(story)}`);
  if (k !== kCap) faults.push(`k is ${k}, kCap ${kCap}`);
  await buyer.leave();
  return faults;
}

async function settlementAtDeadline(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 5, stay: true });
  const { deadlineMtp } = await reaches(world, buyer, 'funded');
  if (deadlineMtp === null) return ['the channel has no deadline'];
  await chain.moveMedianTo(deadlineMtp);
  const { received } = buyer;
  await reaches(world, buyer, 'closing', 'settling', 'settled', 'buried');
  buyer.requestMore();
  await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
  const faults = buyer.received > received ? ['a piece left after the deadline'] : [];
  const { settlementTxid, id } = await reaches(world, buyer, 'settling', 'settled', 'buried');
  await waitFor(async () => (await chain.mempool()).includes(settlementTxid ?? ''), MOVE_MS, 'the settlement');
  // A deadline leaves fewer than 12 blocks: settlement and child came as a package.
  const [child] = await world.database.childrenOf(id);
  if (child?.reason !== 'few-safe-blocks') faults.push(`the child was made because of ${child?.reason ?? 'nothing'}`);
  if (!(await chain.mempool()).includes(child?.txid ?? '')) faults.push('the child did not come with its settlement');
  await chain.mine(1);
  const maturity = await maturityOf(world, buyer);
  if ((await chain.medianTimePast()) >= maturity) faults.push('the refund had matured before the settlement was mined');
  return [...faults, ...(await settled(world, buyer))];
}

async function refundEarlyAndLate(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 0 });
  const refund = await refundOf(world, buyer);
  const faults: string[] = [];
  const early = await chain.refusalOf(refund.hex);
  if (early !== 'non-BIP68-final') faults.push(`before the lock is over the node says ${early ?? 'yes'}`);
  await finishChannels(world);
  const { state } = await channelOf(world, buyer);
  if (state !== 'nothing-owed') faults.push(`nothing was paid, and the channel is ${state}`);
  await chain.moveMedianTo((await maturityOf(world, buyer)) + LOCK_UNIT_SECONDS);
  const late = await chain.refusalOf(refund.hex);
  if (late !== undefined) faults.push(`after the lock the node says ${late}`);
  await chain.send(refund.hex);
  await chain.mine(1);
  const { confirmations } = (await chain.transaction(refund.txid)) ?? { confirmations: 0 };
  if (confirmations !== 1) faults.push('the refund was not mined');
  return faults;
}

async function settlementWins(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 6 });
  const faults = await settled(world, buyer);
  await chain.moveMedianTo((await maturityOf(world, buyer)) + LOCK_UNIT_SECONDS);
  const refund = await refundOf(world, buyer);
  const refusal = await chain.refusalOf(refund.hex);
  if (refusal !== 'missing-inputs' && refusal !== 'bad-txns-inputs-missingorspent') {
    faults.push(`the node says ${refusal ?? 'yes'} to a refund of a settled output`);
  }
  return faults;
}

async function refundWins(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 6 });
  const { settlementTxid } = await reaches(world, buyer, 'settling');
  await waitFor(async () => (await chain.mempool()).includes(settlementTxid ?? ''), MOVE_MS, 'the settlement');
  await chain.moveMedianEmptyTo((await maturityOf(world, buyer)) + LOCK_UNIT_SECONDS);
  const refund = await refundOf(world, buyer);
  // Miners may take either of the two; here they take the refund.
  await chain.mineOnly([refund.hex]);
  const faults: string[] = [];
  const seen = await reaches(world, buyer, 'refund-seen', 'lost');
  if (seen.settlementTxid !== settlementTxid) faults.push('another settlement was signed');
  for (let made = 1; made < BURIAL; made += 1) await chain.mineOnly();
  const { state, stateReason, id } = await reaches(world, buyer, 'lost');
  if (state !== 'lost' || stateReason === '') faults.push(`it is ${state} (${stateReason})`);
  if ((await world.database.broadcastsOf(id)).length !== 1) faults.push('not exactly one settlement was broadcast');
  await finishChannels(world);
  const children = await world.database.childrenOf(id);
  if (children.some((child) => child.state !== 'void')) faults.push('a child lives on without its settlement');
  return [...faults, ...(await differences(world))];
}

/** Books, channels, treasury and chain, once they have told each other. */
async function differences(world: World): Promise<string[]> {
  let found: string[] = [];
  await waitFor(async () => (found = await world.database.differences()).length === 0, MOVE_MS, 'the books').catch(
    () => undefined,
  );
  return found;
}

/** The mempool is full of dearer transactions: alone the settlement stays out, with its child it comes in. */
async function settlementUnderMinimum(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 10, stay: true });
  await reaches(world, buyer, 'funded');
  const minimum = await chain.fillMempool();
  const frozen = buyer.parameters?.settlementFeeSat ?? 0n;
  const faults: string[] = [];
  if (minimum * BigInt(MAX_SETTLEMENT_BYTES) <= frozen * 1_000n) faults.push(`the minimum is only ${minimum}`);
  // With the next block the fleet reads what the mempool takes; before, the settlement waits, rejected by name.
  await chain.mineOnly();
  await buyer.leave();
  const { settlementTxid, id } = await reaches(world, buyer, 'settling', 'settle-rejected');
  await waitFor(async () => (await chain.mempool()).includes(settlementTxid ?? ''), LOOK_MS, 'the settlement');
  const [child] = await world.database.childrenOf(id);
  if (child?.reason !== 'below-node-minimum')
    faults.push(`the child was made because of ${child?.reason ?? 'nothing'}`);
  if (!(await chain.mempool()).includes(child?.txid ?? '')) faults.push('the child is not there');
  await chain.mineOnly([settlementTxid, child?.txid].flatMap((txid) => txid ?? []));
  return [...faults, ...(await settled(world, buyer)), ...(await differences(world))];
}

/** A block without it makes a dearer child, once per block; the miners take the last, or an earlier one. */
async function childReplaced(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 11, stay: true });
  const { deadlineMtp } = await reaches(world, buyer, 'funded');
  await chain.moveMedianTo(deadlineMtp ?? 0);
  const { id, settlementTxid } = await reaches(world, buyer, 'settling');
  const faults: string[] = [];
  const made = async (count: number): Promise<void> => {
    const all = async (): Promise<boolean> => {
      const children = await world.database.childrenOf(id);
      const newest = children.at(-1)?.txid ?? '';
      return children.length === count && (await chain.mempool()).includes(newest);
    };
    await waitFor(all, LOOK_MS, `${count} children`);
  };
  await made(1);
  await chain.mineOnly();
  await made(2);
  await chain.mineOnly();
  await made(3);
  const [first, second] = await world.database.childrenOf(id);
  const bytes = await world.database.rawOf(second?.txid ?? '');
  // Whoever keeps the second one may mine it: it is ours all the same.
  await chain.mineOnly([settlementTxid ?? '', bytes]);
  await buyer.leave();
  faults.push(...(await settled(world, buyer)));
  const states = (await world.database.childrenOf(id)).map(({ state }) => state);
  if (states.join() !== 'void,buried,void') faults.push(`the children of ${first?.txid} are ${states.join()}`);
  return [...faults, ...(await differences(world))];
}

async function childOfSettlement(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyer = await buy(world, dear, { pieces: 8 });
  const { settlementTxid } = await reaches(world, buyer, 'settling');
  await waitFor(async () => (await chain.mempool()).includes(settlementTxid ?? ''), MOVE_MS, 'the settlement');
  const coin = await earningsOf(world, buyer);
  const feeSat = buyer.parameters?.settlementFeeSat ?? 0n;
  const parent = { output: coin, vbytes: MAX_SETTLEMENT_BYTES, feeSat };
  const destination = await ownScript(world);
  const budgetSat = coin.valueSat / 2n;
  const child = buildChild('regtest', parent, [], destination, CHILD_RATE_SAT_PER_KVB, budgetSat, ecdsa);
  if (!child.ok) return [`no child: ${child.error.code}`];
  const parentHex = (await chain.transaction(settlementTxid ?? ''))?.hex ?? '';
  const answer = await chain.call<{ package_msg: string }>('submitpackage', [
    parentHex,
    toHex(child.transaction.bytes),
  ]);
  const faults = answer.package_msg === 'success' ? [] : [`the node says ${answer.package_msg}`];
  await chain.mine(1);
  if ((await chain.transaction(child.transaction.txid))?.confirmations !== 1) faults.push('the child was not mined');
  return [...faults, ...(await settled(world, buyer))];
}

async function sweepOfEarnings(world: World, { dear }: Shop): Promise<string[]> {
  const { chain } = world;
  const buyers = [await buy(world, dear, { pieces: 5 }), await buy(world, dear, { pieces: 7 })];
  const faults = await settled(world, ...buyers);
  const coins = await Promise.all(buyers.map((buyer) => earningsOf(world, buyer)));
  const sweep = buildSweep('regtest', coins, await ownScript(world), RATE_SAT_PER_KVB, ecdsa);
  if (!sweep.ok) return [...faults, `no sweep: ${sweep.error.code}`];
  await chain.send(toHex(sweep.transaction.bytes));
  await chain.mine(1);
  const mined = await chain.transaction(sweep.transaction.txid);
  const [output] = mined === undefined ? [] : decode(mined.hex).outputs;
  const dueSat = coins.reduce((sum, { valueSat }) => sum + valueSat, 0n) - sweep.feeSat;
  if (output?.valueSat !== dueSat) faults.push(`the sweep brought ${output?.valueSat} sat, due are ${dueSat}`);
  return faults;
}

/** The buyer's refund of its whole deposit, to the node's wallet. */
async function refundOf(world: World, buyer: ProofBuyer): Promise<{ hex: string; txid: string }> {
  if (buyer.parameters === undefined) throw new Error('never joined');
  const destination = await ownScript(world);
  const refund = buildRefund(buyer.parameters, buyer.contract.privateKey, destination, RATE_SAT_PER_KVB, ecdsa);
  if (!refund.ok) throw new Error(`no refund: ${refund.error.code}`);
  return { hex: toHex(refund.transaction.bytes), txid: refund.transaction.txid };
}

/** Median time past from which the refund can be mined (BIP 68), from the block before the funding's. */
async function maturityOf(world: World, buyer: ProofBuyer): Promise<number> {
  const { chain } = world;
  const txid = buyer.funding?.txid ?? '';
  const { blockhash } = await chain.call<{ blockhash: string }>('getrawtransaction', txid, true);
  const { previousblockhash } = await chain.call<{ previousblockhash: string }>('getblockheader', blockhash);
  const { mediantime } = await chain.call<{ mediantime: number }>('getblockheader', previousblockhash);
  return mediantime + LOCK_UNIT_SECONDS * (buyer.parameters?.lockUnits ?? 0);
}

/** The seller's output of a settlement, with the key that spends it. */
async function earningsOf(world: World, buyer: ProofBuyer): Promise<Coin> {
  const row = await channelOf(world, buyer);
  const { priceSat, settlementFeeSat } = buyer.parameters ?? { priceSat: 0n, settlementFeeSat: 0n };
  if (row.settlementTxid === null || !isCollectable(row.k, priceSat, settlementFeeSat))
    throw new Error('nothing earned');
  const { payout } = sellerKeys(world).at({ epoch: row.keyEpoch, index: row.keyIndex });
  return {
    outpoint: { txid: fromHex(row.settlementTxid), index: 1 },
    valueSat: netSat(row.k, priceSat, settlementFeeSat),
    kind: 'p2pkh',
    key: payout,
  };
}

async function ownScript(world: World): Promise<Uint8Array> {
  const script = scriptOfAddress(await world.chain.newAddress(), 'regtest');
  if (script === undefined) throw new Error("the wallet's address is none");
  return script;
}
