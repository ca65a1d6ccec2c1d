import { sumSat } from '@seedfleet/wallet';
import type { BookedDeposit } from './booking.js';
import { medianTimePast } from './chain-time.js';
import type { Wallet } from './wallet.js';

/** One deposit that is not over. */
export interface LockedDeposit {
  readonly outpoint: string;
  readonly seller: string;
  readonly valueSat: bigint;
  /** Paid for pieces so far, by what this wallet has signed. */
  readonly paidSat: bigint;
  readonly state: BookedDeposit['state']['kind'];
  /** Unix seconds of median time past from which it can be taken back; undefined until it is mined. */
  readonly refundableAtMtp: number | undefined;
}

/** Where the wallet's money is. Everything that ever was deposited is in one of the sums of `deposits`. */
export interface WalletBalance {
  /** Confirmed and mature coins, and our own change. */
  readonly spendableSat: bigint;
  /** Coins of new blocks, which may be spent after 100 more. */
  readonly immatureSat: bigint;
  /** In deposits whose lock runs, less what was paid out of them. */
  readonly lockedSat: bigint;
  /** In deposits that can be taken back now. */
  readonly refundableSat: bigint;
  /** On its way back: settlements and refunds in the mempool. */
  readonly returningSat: bigint;
  readonly locked: readonly LockedDeposit[];
  /** Over all deposits ever made on this chain. */
  readonly deposits: {
    readonly depositedSat: bigint;
    /** Open, by the record's face value. */
    readonly openSat: bigint;
    /** Went to sellers and their settlements' fees. */
    readonly spentSat: bigint;
    readonly returnedSat: bigint;
    /** Fees of refunds. */
    readonly refundFeesSat: bigint;
    /** Spent by what the node can no longer say. */
    readonly unseenSat: bigint;
  };
  readonly mtp: number;
}

/** Looks everything up at the node; the records are up to date afterwards. */
export async function walletBalance(wallet: Wallet): Promise<WalletBalance> {
  const found = await wallet.coins.scan();
  const booked = await wallet.deposits();
  const spendableSat = sumSat(await wallet.coins.spendable());
  const immatureSat = sumSat(found.filter(({ mature }) => !mature));
  const made = booked.filter(({ state }) => !['void', 'not-broadcast'].includes(state.kind));
  const locked = made.flatMap(({ contract, output, state }): LockedDeposit[] => {
    if (['settled', 'refunded', 'spent-unseen'].includes(state.kind)) return [];
    const { seller, vout } = output;
    const refundableAtMtp = state.kind === 'locked' ? state.maturityMtp : state.kind === 'refundable' ? 0 : undefined;
    const outpoint = `${contract.txid}:${vout}`;
    return [
      {
        outpoint,
        seller,
        valueSat: BigInt(output.valueSat),
        paidSat: paid(output),
        state: state.kind,
        refundableAtMtp,
      },
    ];
  });
  const unspent = (kinds: readonly string[]): bigint =>
    total(locked.filter(({ state }) => kinds.includes(state)).map(({ valueSat, paidSat }) => valueSat - paidSat));
  const ended = (kind: 'settled' | 'refunded') => made.filter(({ state }) => state.kind === kind);
  return {
    spendableSat,
    immatureSat,
    lockedSat: unspent(['locked', 'unconfirmed']),
    refundableSat: unspent(['refundable']),
    returningSat: total(booked.map(({ state }) => (isReturning(state) ? state.backSat : 0n))),
    locked,
    deposits: {
      depositedSat: total(made.map(({ output }) => BigInt(output.valueSat))),
      openSat: total(locked.map(({ valueSat }) => valueSat)),
      spentSat: total(ended('settled').map(missing)),
      returnedSat: total([...ended('settled'), ...ended('refunded')].map(back)),
      refundFeesSat: total(ended('refunded').map(missing)),
      unseenSat: total(
        made.filter(({ state }) => state.kind === 'spent-unseen').map(({ output }) => BigInt(output.valueSat)),
      ),
    },
    mtp: await medianTimePast(wallet.link),
  };
}

function paid({ priceSat, payments }: BookedDeposit['output']): bigint {
  return BigInt(priceSat) * BigInt(payments);
}

function isReturning(
  state: BookedDeposit['state'],
): state is Extract<BookedDeposit['state'], { kind: 'refunding' | 'settling' }> {
  return state.kind === 'refunding' || state.kind === 'settling';
}

function back({ state }: BookedDeposit): bigint {
  return 'backSat' in state ? state.backSat : 0n;
}

/** What of an ended deposit did not come back. */
function missing(deposit: BookedDeposit): bigint {
  return BigInt(deposit.output.valueSat) - back(deposit);
}

function total(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}
