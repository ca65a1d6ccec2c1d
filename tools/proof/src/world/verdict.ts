import { isCollectable, netSat, paidSat, p2pkhScript, toHex, type ChannelParameters } from '@seedfleet/payment-channel';
import type { ProofBuyer } from '../buyer/buyer.js';
import { decode } from './chain.js';
import type { ChannelRecord } from './database.js';
import type { Place } from './world.js';

/** What is allowed to be missing. */
export interface Expectation {
  /** The seller's process died: payments that it had not acknowledged may be gone with it. */
  readonly sellerDied: boolean;
  /** Payments that were stored where nothing was lost: where given, later ones are gone with the site. */
  readonly keptK?: number;
}

/** Pieces that may be delivered and unpaid when everything ends: the largest window. */
const LARGEST_WINDOW = 4;

/** Everything that is wrong with a buyer's channel once it has ended; empty when its money is all right. */
export async function channelFaults(world: Place, buyer: ProofBuyer, expected: Expectation): Promise<string[]> {
  const { funding, parameters } = buyer;
  if (funding === undefined || parameters === undefined) return [];
  const row = await world.database.channelOfFunding(funding.txid);
  if (row === undefined) return buyer.received === 0 ? [] : [`pieces for the unknown funding ${funding.txid}`];
  const faults: string[] = [];
  const check = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`${row.id}: ${fault}`);
  };
  const { k } = row;
  const due = Math.min(buyer.acknowledged, expected.keptK ?? buyer.acknowledged);
  check(k >= due, `k is ${k}, but pieces have acknowledged payment ${due}`);
  check(k <= buyer.paid, `k is ${k}, but only ${buyer.paid} were paid`);
  const mayLack = expected.sellerDied || expected.keptK !== undefined;
  check(mayLack || k === buyer.paid, `k is ${k}, but ${buyer.paid} were paid and the seller lived`);
  check(
    expected.keptK !== undefined || buyer.received - k <= LARGEST_WINDOW,
    `${buyer.received} pieces for ${k} payments`,
  );
  check(row.frozenK === null || row.frozenK === k, `k is ${k} after it was frozen at ${row.frozenK}`);
  const state = endOf(row, isCollectable(k, parameters.priceSat, parameters.settlementFeeSat));
  check(row.state === state, `it is ${row.state} (${row.stateReason}), not ${state}`);
  faults.push(...(await settlementFaults(world, buyer, row)));
  faults.push(...(await bookFaults(world, row, parameters)));
  faults.push(...(await childFaults(world, row)));
  return faults;
}

/** Children on the chain: of all that were signed one is mined, for the fee that is booked; the others are void. */
async function childFaults(world: Place, row: ChannelRecord): Promise<string[]> {
  const faults: string[] = [];
  const children = await world.database.childrenOf(row.id);
  for (const { txid, state, inputSat, feeSat } of children) {
    const found = await world.chain.transaction(txid);
    if (state === 'void' && (found?.confirmations ?? 0) === 0) continue;
    if (state !== 'buried' || found === undefined || found.confirmations < 6) {
      faults.push(`${row.id}: child ${txid} is ${state} with ${found?.confirmations ?? 'no'} confirmations`);
      continue;
    }
    const outputsSat = decode(found.hex).outputs.reduce((sum, { valueSat }) => sum + valueSat, 0n);
    const paidSat = BigInt(inputSat) - outputsSat;
    if (paidSat !== BigInt(feeSat)) faults.push(`${row.id}: child ${txid} pays ${paidSat}, booked is ${feeSat}`);
  }
  const mined = children.filter(({ state }) => state === 'buried').length;
  if (children.length > 0 && mined !== 1) faults.push(`${row.id}: ${mined} of ${children.length} children are mined`);
  return faults;
}

/** The books of an ended channel: what it brought, what its settlement cost, and nothing else. */
async function bookFaults(world: Place, row: ChannelRecord, { priceSat, settlementFeeSat }: ChannelParameters) {
  const { k } = row;
  const mined = (await world.database.childrenOf(row.id)).find(({ state }) => state === 'buried');
  const childFeeSat = BigInt(mined?.feeSat ?? 0);
  const due: [string, bigint][] = isCollectable(k, priceSat, settlementFeeSat)
    ? [
        ['buried', netSat(k, priceSat, settlementFeeSat)],
        ['child-fee', childFeeSat],
        ['revenue', -paidSat(k, priceSat)],
        ['settlement-fee', settlementFeeSat],
        ['spent', -childFeeSat],
      ]
    : [
        ['revenue', -paidSat(k, priceSat)],
        ['uncollectable', paidSat(k, priceSat)],
      ];
  const text = (accounts: Iterable<[string, bigint]>): string =>
    [...accounts].flatMap(([account, sat]) => (sat === 0n ? [] : [`${account} ${sat}`])).join(', ');
  const held = text(await world.database.books(row.id));
  return held === text(due) ? [] : [`${row.id}: the books hold ${held}; due is ${text(due)}`];
}

function endOf({ k, state }: ChannelRecord, collectable: boolean): string {
  if (collectable) return 'buried';
  // Below kMin the policy decides whether the change is worth sending back.
  return k > 0 && state === 'returned' ? 'returned' : 'nothing-owed';
}

/** The settlement on the chain: one only, ever, and exact to the satoshi. */
async function settlementFaults(world: Place, buyer: ProofBuyer, row: ChannelRecord): Promise<string[]> {
  const { funding, parameters } = buyer;
  if (funding === undefined || parameters === undefined) return [];
  const faults: string[] = [];
  const allowed = row.settlementTxid === null ? [] : [row.settlementTxid];
  const handed = await world.database.broadcastsOf(row.id);
  if (handed.some((txid) => !allowed.includes(txid))) faults.push(`${row.id}: broadcast ${handed.join(', ')}`);
  const accepted = world.spends.spendersOf(funding.txid, funding.vout);
  if (accepted.some((txid) => !allowed.includes(txid))) faults.push(`${row.id}: on the wire ${accepted.join(', ')}`);
  if (row.settlementTxid === null) return faults;
  const found = await world.chain.transaction(row.settlementTxid);
  if (found === undefined || found.confirmations < 6) {
    return [...faults, `${row.id}: settlement ${row.settlementTxid} has ${found?.confirmations ?? 'no'} confirmations`];
  }
  const { inputs, outputs } = decode(found.hex);
  const seen = [
    ...inputs.map(({ txid, vout }) => `from ${txid}:${vout}`),
    ...outputs.map(({ valueSat, script }) => `${valueSat} sat to ${toHex(script)}`),
  ];
  const { priceSat, settlementFeeSat, fundingValueSat, buyerKeyHash, sellerKeyHash } = parameters;
  const earnedSat = netSat(row.k, priceSat, settlementFeeSat);
  const due = [
    `from ${funding.txid}:${funding.vout}`,
    `${fundingValueSat - paidSat(row.k, priceSat)} sat to ${toHex(p2pkhScript(buyerKeyHash))}`,
    ...(earnedSat > 0n ? [`${earnedSat} sat to ${toHex(p2pkhScript(sellerKeyHash))}`] : []),
  ];
  if (seen.join() !== due.join()) faults.push(`${row.id}: settlement is ${seen.join(', ')}; due is ${due.join(', ')}`);
  return faults;
}
