import { netSat, paidSat, p2pkhScript, toHex } from '@seedfleet/payment-channel';
import type { ProofBuyer } from '../buyer/buyer.js';
import { RESTORED_MS } from '../restore/sales.js';
import { decode } from '../world/chain.js';
import { finishChannels } from '../world/finish.js';
import { waitFor } from '../world/world.js';
import type { Outcome } from './situations.js';
import type { Stage } from './stage.js';

/** Everything that is wrong once the channel of a situation has ended; empty where its money is all right. */
export async function towerFaults(stage: Stage, outcome: Outcome): Promise<string[]> {
  const { world, site } = stage;
  const { sale } = outcome;
  if (outcome.unknown === true) return unknownFaults(stage, outcome);
  await finishChannels(world);
  const faults = await settlementFaults(stage, outcome);
  faults.push(...(await bookFaults(stage, outcome)));
  faults.push(...(await world.database.differences()));
  const isOver = async (): Promise<boolean> => {
    const [fleet, tower] = [await stage.fleetOrder(sale.id), await site.order(sale.id)];
    return fleet?.state !== 'waiting' && tower?.state !== 'waiting';
  };
  await waitFor(isOver, RESTORED_MS, 'the orders to be taken back').catch((thrown: unknown) => {
    faults.push(String(thrown));
  });
  return faults;
}

/** The tower's settlement is mined, and nothing of it is in the books; the fleet was told. */
async function unknownFaults(stage: Stage, { sale, k }: Outcome): Promise<string[]> {
  const { world, site } = stage;
  const { funding, parameters } = sale.buyer;
  if (funding === undefined || parameters === undefined) return ['never funded'];
  const sent = (await site.order(sale.id))?.sentTxid ?? '';
  const isSeen = async (): Promise<boolean> => (await world.chain.mempool()).includes(sent);
  await waitFor(isSeen, RESTORED_MS, 'what the tower sent to be seen');
  await world.chain.mine(1);
  await finishChannels(world);
  const faults = await paymentFaults(stage, sale.buyer, sent, k);
  const spender = await world.chain.spenderInChain(funding.txid, funding.vout);
  if (spender !== sent) faults.push(`on the chain is ${spender}, the tower sent ${sent}`);
  faults.push(...(await world.database.differences()));
  return faults;
}

/** One settlement, of the payment that it must be, exact to the satoshi; and no other one was ever seen by either node. */
async function settlementFaults({ world, site }: Stage, { sale, k, splitNetwork }: Outcome): Promise<string[]> {
  const { funding, parameters } = sale.buyer;
  if (funding === undefined || parameters === undefined) return ['never funded'];
  const faults: string[] = [];
  const row = await world.database.channel(sale.id);
  if (row.state !== 'buried') faults.push(`it is ${row.state} (${row.stateReason})`);
  const spender = await world.chain.spenderInChain(funding.txid, funding.vout);
  if (spender === undefined || spender !== row.settlementTxid) {
    return [...faults, `on the chain is ${spender}, stored is ${row.settlementTxid}`];
  }
  const seen = new Set([
    ...world.spends.spendersOf(funding.txid, funding.vout),
    ...site.spends.spendersOf(funding.txid, funding.vout),
    ...(await world.database.broadcastsOf(sale.id)),
  ]);
  if (splitNetwork !== true && [...seen].some((txid) => txid !== spender)) {
    faults.push(`seen were ${[...seen].join(', ')}, mined is ${spender}`);
  }
  faults.push(...(await paymentFaults({ world }, sale.buyer, spender, k)));
  return faults;
}

/** What a settlement pays that is not what payment k says. */
async function paymentFaults(
  { world }: Pick<Stage, 'world'>,
  { parameters }: ProofBuyer,
  txid: string,
  k: number,
): Promise<string[]> {
  if (parameters === undefined) return ['never joined'];
  const { priceSat, settlementFeeSat, fundingValueSat, buyerKeyHash, sellerKeyHash } = parameters;
  const due = [
    `${fundingValueSat - paidSat(k, priceSat)} to ${toHex(p2pkhScript(buyerKeyHash))}`,
    `${netSat(k, priceSat, settlementFeeSat)} to ${toHex(p2pkhScript(sellerKeyHash))}`,
  ].join();
  const found = await world.chain.transaction(txid);
  const paid = decode(found?.hex ?? '').outputs.map(({ valueSat, script }) => `${valueSat} to ${toHex(script)}`);
  return paid.join() === due ? [] : [`it pays ${paid.join()}; due is ${due}`];
}

/** What the chain gave is earned; what it fell short of the last payment is lost. */
async function bookFaults({ world }: Stage, { sale, k }: Outcome): Promise<string[]> {
  const { parameters } = sale.buyer;
  if (parameters === undefined) return [];
  const { priceSat, settlementFeeSat } = parameters;
  const row = await world.database.channel(sale.id);
  const mined = (await world.database.childrenOf(sale.id)).find(({ state }) => state === 'buried');
  const childFeeSat = BigInt(mined?.feeSat ?? 0);
  const due: [string, bigint][] = [
    ['buried', netSat(k, priceSat, settlementFeeSat)],
    ['child-fee', childFeeSat],
    ['lost', paidSat(row.k - k, priceSat)],
    ['revenue', -paidSat(row.k, priceSat)],
    ['settlement-fee', settlementFeeSat],
    ['spent', -childFeeSat],
  ];
  const text = (accounts: Iterable<[string, bigint]>): string =>
    [...accounts].flatMap(([account, sat]) => (sat === 0n ? [] : [`${account} ${sat}`])).join(', ');
  const held = text(await world.database.books(sale.id));
  return held === text(due) ? [] : [`the books hold ${held}; due is ${text(due)}`];
}
