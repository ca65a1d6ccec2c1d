import {
  signerChild,
  signerPublicKey,
  signerSettlement,
  signerSplit,
  signerSweep,
  type RequestContract,
} from '@seedfleet/bus';
import { equalBytes, netSat, toHex } from '@seedfleet/payment-channel';
import { policyWith } from '@seedfleet/policy';
import { scriptOfAddress } from '@seedfleet/wallet';
import { z } from 'zod';
import { decode } from '../world/chain.js';
import { coldAddress } from '../world/world.js';
import { childOf, inventedChannel, settlementOf, sweepOf, type ChildAsk, type Sold, type SweepAsk } from './orders.js';
import type { Thief } from './thief.js';

const policy = policyWith();

type Contract = RequestContract<z.ZodType, z.ZodType<{ readonly given: boolean }>>;

const earnedSat = ({ parameters: { priceSat, settlementFeeSat }, k }: Sold): bigint =>
  netSat(k, priceSat, settlementFeeSat);
const childLimitSat = (sold: Sold): bigint => (earnedSat(sold) * policy.child.lastBudgetPercent) / 100n;
const sweepLimitSat = (sold: Sold): bigint => (earnedSat(sold) * policy.treasury.maxFeePercent) / 100n;

export function refusedChildren(sold: Sold): readonly [string, ChildAsk, string][] {
  const limitSat = childLimitSat(sold);
  const good = childOf(sold, 300n);
  const { path, settlement } = sold;
  const changed = settlement.slice();
  // The last byte of our output's amount lies 34 + 4 bytes before the end.
  const amountAt = changed.length - 38;
  changed[amountAt] = (changed[amountAt] ?? 0) ^ 1;
  const elsewhere = { ...path, index: path.index + 1 };
  return [
    ['a fee of a satoshi more', childOf(sold, limitSat + 1n), 'fee-over-limit'],
    ['no fee', childOf(sold, 0n), 'fee-over-limit'],
    ['of the buyer’s output', { ...good, coins: [{ path, transaction: 0, vout: 0 }] }, 'not-a-settlement'],
    [
      'with the key of another channel',
      { ...good, coins: [{ path: elsewhere, transaction: 0, vout: 1 }] },
      'not-a-settlement',
    ],
    ['of a settlement of a satoshi more', { ...good, transactions: [changed] }, 'not-a-settlement'],
    ['with the buyer’s coin', { ...good, coins: [...good.coins, { path, transaction: 0, vout: 0 }] }, 'not-our-coin'],
    ['of nothing', { ...good, coins: [] }, 'malformed'],
    ['of a transaction that is not there', { ...good, coins: [{ path, transaction: 7, vout: 1 }] }, 'not-a-settlement'],
  ];
}

export function refusedSweeps(sold: Sold): readonly [string, SweepAsk, string][] {
  const good = sweepOf(sold, 100n);
  const { path } = sold;
  const elsewhere = { ...path, index: path.index + 1 };
  return [
    ['a fee of a satoshi more', sweepOf(sold, sweepLimitSat(sold) + 1n), 'fee-over-limit'],
    ['no fee', sweepOf(sold, 0n), 'fee-over-limit'],
    ['to another address of the wallet than it has', { ...good, index: 0 }, 'no-destination'],
    ['of the buyer’s output', { ...good, coins: [{ path, transaction: 0, vout: 0 }] }, 'not-our-coin'],
    [
      'with the key of another channel',
      { ...good, coins: [{ path: elsewhere, transaction: 0, vout: 1 }] },
      'not-our-coin',
    ],
    ['of nothing', { ...good, coins: [] }, 'not-our-coin'],
  ];
}

/** Where what is given pays to: a sweep the operator's wallet, whatever else is asked for, and a split ourselves. */
export async function destinationFaults(thief: Thief, sold: Sold): Promise<string[]> {
  const faults: string[] = [];
  const cold = scriptOfAddress(coldAddress(), 'regtest');
  const own = decode(toHex(sold.settlement)).outputs[1]?.script;
  if (cold === undefined || own === undefined) return ['the scripts are not known'];
  const pays = async (what: string, contract: Contract, order: object, script: Uint8Array): Promise<void> => {
    const answer = (await thief.ask(loosely(contract), order)) as { readonly bytes?: Uint8Array } | string;
    if (typeof answer === 'string' || answer.bytes === undefined) faults.push(`${what}: ${String(answer)}`);
    else if (!decode(toHex(answer.bytes)).outputs.every((output) => equalBytes(output.script, script))) {
      faults.push(`${what} pays somebody else`);
    }
  };
  const sweep = sweepOf(sold, 100n);
  const aside = { destination: 'thief', address: 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', script: '51', outputs: [] };
  const ask = { ...signerSweep.request.encode(sweep), ...aside };
  await pays('a sweep', signerSweep, ask, cold);
  const split = signerSplit.request.encode({ ...sweep, feeSat: 101n, count: 2, valueSat: 700n });
  await pays('a split', signerSplit, { ...split, ...aside }, own);
  return faults;
}

/** What is no order at all: refused before anything looks at it. */
export async function malformedFaults(thief: Thief, sold: Sold): Promise<string[]> {
  const settlement = signerSettlement.request.encode(settlementOf(sold));
  const sweep = signerSweep.request.encode(sweepOf(sold, 100n));
  const [coin] = sweep.coins;
  const orders: readonly [string, Contract, unknown][] = [
    ['a text', signerSettlement, 'settle'],
    ['a number', signerSettlement, 7],
    ['a list', signerSweep, []],
    ['no channel', signerSettlement, { ...settlement, channel: undefined }],
    ['a payment that is text', signerSettlement, { ...settlement, k: String(settlement.k) }],
    ['a payment below zero', signerSettlement, { ...settlement, k: -1 }],
    ['half a payment', signerSettlement, { ...settlement, k: 1.5 }],
    ['a key path below zero', signerSettlement, { ...settlement, path: { epoch: -1, index: 0 } }],
    ['a hardened key path', signerSettlement, { ...settlement, path: { epoch: 0x8000_0000, index: 0 } }],
    ['a signature of 74 bytes', signerSettlement, { ...settlement, buyerSignature: '30'.repeat(74) }],
    ['a fee below zero', signerSweep, { ...sweep, feeSat: '-1' }],
    ['a fee that is a number', signerSweep, { ...sweep, feeSat: 100 }],
    ['501 coins', signerSweep, { ...sweep, coins: Array.from({ length: 501 }, () => coin) }],
    ['a transaction that is too long', signerSweep, { ...sweep, transactions: ['A'.repeat(133_340)] }],
    ['501 outputs', signerSplit, { ...sweep, count: 501, valueSat: '1000' }],
  ];
  const faults: string[] = [];
  for (const [what, contract, order] of orders) {
    const answer = await thief.ask(loosely(contract), order);
    if (answer !== 'invalid_message') faults.push(`${what}: ${JSON.stringify(answer)}`);
  }
  // Longer than the broker takes: the thief does not even get it there.
  const tooLong = await thief.ask(loosely(signerSweep), {
    ...sweep,
    transactions: Array(20).fill('A'.repeat(130_000)),
  });
  if (typeof tooLong !== 'string') faults.push('a message of 2.6 MB was answered');
  else thief.refusals.delete(tooLong);
  return faults;
}

/** Children of channels that the thief has made up, one after the other: within a day they cost so much and no more. */
export async function budgetFaults(thief: Thief, sold: Sold, firstIndex: number): Promise<string[]> {
  const limitSat = policy.signer.feeSatPerDay;
  const faults: string[] = [];
  let givenSat = 0n;
  for (let made = 0; made < 3; made += 1) {
    const path = { epoch: sold.path.epoch, index: firstIndex + made };
    const ours = await thief.ask(signerPublicKey, { seedId: sold.seedId, path });
    if (typeof ours === 'string' || !ours.given) return ['no public key is given'];
    const bare = inventedChannel(sold, path, ours, 21 + made);
    const settled = await thief.ask(signerSettlement, settlementOf({ ...bare, settlement: new Uint8Array() }));
    if (typeof settled === 'string' || !settled.given) return [`an invented channel: ${String(settled)}`];
    const invented = { ...bare, settlement: settled.bytes };
    // What was used comes back evenly, a satoshi in 86 ms: to the satoshi it can be said of the first one only.
    const aboveSat = made === 0 ? 1n : limitSat / 100n;
    const more = await thief.ask(signerChild, childOf(invented, limitSat - givenSat + aboveSat));
    if (more !== 'fees-of-the-day-spent')
      faults.push(`${aboveSat} sat above what is left of the day: ${typeof more === 'string' ? more : 'signed'}`);
    const feeSat = (limitSat * 2n) / 5n;
    const child = await thief.ask(signerChild, childOf(invented, feeSat));
    if (typeof child !== 'string') givenSat += feeSat;
  }
  if (givenSat > limitSat) faults.push(`${givenSat} satoshi of fees were signed for within a day`);
  if (givenSat === 0n) faults.push('not one child was signed');
  return faults;
}

/** Asks the same again and again: from some answer on, nothing is given but the word that it is too often. */
export async function rateFaults(thief: Thief, sold: Sold, short: boolean): Promise<string[]> {
  const { treasuryPerHour, childrenPerMinute, settlementsPerMinute } = policy.signer;
  const faults: string[] = [];
  const child = childOf(sold, childLimitSat(sold) + 1n);
  const sweep = sweepOf(sold, sweepLimitSat(sold) + 1n);
  const settlement = settlementOf(sold, 1);
  const kinds: readonly (readonly [string, number, () => Promise<unknown>])[] = [
    ['sweeps', treasuryPerHour, () => thief.ask(signerSweep, sweep)],
    ['children', childrenPerMinute, () => thief.ask(signerChild, child)],
    ...(short ? [] : [['settlements', settlementsPerMinute, () => thief.ask(signerSettlement, settlement)] as const]),
  ];
  for (const [what, limit, ask] of kinds) {
    // Twice as many, some at a time: the allowance fills up meanwhile.
    let limited = 0;
    for (let asked = 0; asked < 2 * limit && limited === 0; asked += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      limited += answers.filter((answer) => answer === 'rate-limited').length;
    }
    if (limited === 0) faults.push(`${what}: asked ${2 * limit} times, and always answered`);
  }
  return faults;
}

/** The same question without what its schema holds it to. */
function loosely<A extends z.ZodType>(contract: RequestContract<z.ZodType, A>): RequestContract<z.ZodUnknown, A> {
  return { ...contract, request: z.unknown() };
}
