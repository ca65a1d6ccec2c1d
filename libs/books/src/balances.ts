import type { Account, Balances } from './accounts.js';

/** What of a channel's row the books depend on. */
export interface ChannelFacts {
  /** The channel's state, in the words of the channel's life cycle. */
  readonly state: string;
  /** Number of the newest verified payment. */
  readonly k: bigint;
  /** The number that will be settled; null while more payments may come. It equals k. */
  readonly frozenK: bigint | null;
  /** The number that the stored settlement settles, where that is a lower one; absent or null: k. */
  readonly settledK?: bigint | null;
  /** P, satoshi per payment. */
  readonly priceSat: bigint;
  /** F, satoshi. */
  readonly settlementFeeSat: bigint;
}

/** Value at and below which a settlement leaves out the seller's output, satoshi (payment channel specification §5). */
const DUST_SAT = 546n;

/** Final states in which nothing was there to collect. */
const ENDED_EMPTY: ReadonlySet<string> = new Set(['returned', 'nothing-owed', 'join-expired', 'refused']);

/**
 * What every account holds of one channel: a function of the channel's present state alone, whatever led to it. The
 * database posts by the same rule (`channel.book_place`, `channel.book_balances`), and a test holds the two together.
 */
export function accountsOf(channel: ChannelFacts): Balances {
  const balances = new Map<Account, bigint>();
  const grossSat = channel.k * channel.priceSat;
  if (grossSat === 0n) return balances;
  const { main, fee } = placeOf(channel, grossSat);
  const feeSat = fee === null ? 0n : channel.settlementFeeSat;
  const settledSat = (channel.settledK ?? channel.k) * channel.priceSat;
  if (settledSat !== grossSat) balances.set('lost', grossSat - settledSat);
  balances.set(main, (balances.get(main) ?? 0n) + settledSat - feeSat);
  if (fee !== null && feeSat !== 0n) balances.set(fee, feeSat);
  balances.set('revenue', -grossSat);
  return balances;
}

/** The account that holds the payments, and the one that holds the settlement fee where there is one to pay. */
function placeOf(channel: ChannelFacts, grossSat: bigint): { readonly main: Account; readonly fee: Account | null } {
  const { state, frozenK, settlementFeeSat } = channel;
  if (ENDED_EMPTY.has(state)) return { main: 'uncollectable', fee: null };
  if (grossSat <= DUST_SAT + settlementFeeSat) {
    const mayGrow = frozenK === null && state !== 'lost';
    return { main: mayGrow ? 'accrued' : 'uncollectable', fee: null };
  }
  switch (state) {
    case 'lost':
      return { main: 'lost', fee: null };
    case 'settling':
      return { main: 'broadcast', fee: 'settlement-fee-reserved' };
    case 'settled':
      return { main: 'confirmed', fee: 'settlement-fee' };
    case 'buried':
      return { main: 'buried', fee: 'settlement-fee' };
    default:
      return { main: 'collectable', fee: 'settlement-fee-reserved' };
  }
}

/** What of a transaction of the treasury the books depend on. */
export interface TreasuryFacts {
  /** A child pays for a settlement, a split makes coins for children, a sweep goes to the operator's wallet. */
  readonly kind: 'child' | 'split' | 'sweep';
  readonly state: string;
  /** Sum of the coins that it spends. */
  readonly inputSat: bigint;
  readonly feeSat: bigint;
}

/**
 * What every account holds of one transaction that moves what lies on payout keys: nothing until it is mined. The database
 * posts by the same rule (`channel.treasury_balances`), and a test holds the two together.
 */
export function accountsOfTreasury({ kind, state, inputSat, feeSat }: TreasuryFacts): Balances {
  if (state !== 'confirmed' && state !== 'buried') return new Map();
  if (kind === 'child') return accounts(['child-fee', feeSat], ['spent', -feeSat]);
  if (kind === 'split') return accounts(['sweep-fee', feeSat], ['spent', -feeSat]);
  return accounts(['swept', inputSat - feeSat], ['sweep-fee', feeSat], ['spent', -inputSat]);
}

const accounts = (...entries: [Account, bigint][]): Balances => new Map(entries);
