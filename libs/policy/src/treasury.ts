import type { FeeEstimates } from './fees.js';
import type { Policy } from './policy.js';

/** When what lies on payout keys goes to the operator's own wallet, and what is kept back for children. */

/** A final coin that nothing spends. */
export interface SpareCoin {
  readonly valueSat: bigint;
  /** Since it is there. */
  readonly ageMs: number;
}

export interface TreasurySituation<Coin extends SpareCoin> {
  readonly coins: readonly Coin[];
  /** All that lies on payout keys, locked or not yet final too. */
  readonly hotSat: bigint;
  /** Revenue of the last 24 hours. */
  readonly dayRevenueSat: bigint;
  /** What the mempool takes in now, satoshi per 1000 virtual bytes. */
  readonly mempoolMinimumSatPerKvb: bigint;
  /** Whether there is a wallet to sweep to. */
  readonly hasDestination: boolean;
  /** An operator asks: count, age and fee rate are not waited for. */
  readonly byHand: boolean;
}

export type TreasuryPlan<Coin extends SpareCoin> =
  /** `why` is a code: no-destination, too-few, fee-rate-high, fee-share-high, nothing-to-sweep. */
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'sweep'; readonly why: string; readonly coins: readonly Coin[]; readonly feeSat: bigint }
  /** Makes `count` coins of `treasuryCoinSat` and change. */
  | {
      readonly kind: 'split';
      readonly why: 'reserve-short';
      readonly coins: readonly Coin[];
      readonly count: number;
      readonly feeSat: bigint;
    };

/** Splits the coins into those that are kept back for children, the smallest that are large enough, and the rest. */
export function keepBack<Coin extends SpareCoin>(
  coins: readonly Coin[],
  policy: Policy,
): { readonly kept: readonly Coin[]; readonly rest: readonly Coin[] } {
  const { treasuryCoinSat, minTreasuryCoins } = policy.child;
  const ascending = [...coins].sort((a, b) => (a.valueSat < b.valueSat ? -1 : a.valueSat > b.valueSat ? 1 : 0));
  const kept = ascending.filter(({ valueSat }) => valueSat >= treasuryCoinSat).slice(0, minTreasuryCoins);
  const isKept = new Set(kept);
  return { kept, rest: ascending.filter((coin) => !isKept.has(coin)) };
}

/** What to do with the coins now: one transaction at most, so that each look starts from what is true then. */
export function planTreasury<Coin extends SpareCoin>(
  situation: TreasurySituation<Coin>,
  estimates: FeeEstimates,
  policy: Policy,
): TreasuryPlan<Coin> {
  const { treasury } = policy;
  const { hotSat, dayRevenueSat, byHand } = situation;
  if (!situation.hasDestination) return { kind: 'none', why: 'no-destination' };
  const six = estimates.sixBlockSatPerKvb ?? policy.settlementFee.noEstimateSatPerKvb;
  const rate = six > situation.mempoolMinimumSatPerKvb ? six : situation.mempoolMinimumSatPerKvb;
  const capSat = dayRevenueSat > treasury.maxHotSat ? dayRevenueSat : treasury.maxHotSat;
  const isOverCap = hotSat > capSat;
  const isQuiet = six <= (estimates.quiet24hSatPerKvb ?? six);

  const { kept, rest } = keepBack(situation.coins, policy);
  const why = reason(rest, isOverCap, byHand, policy);
  if (why === undefined) return { kind: 'none', why: rest.length === 0 ? 'nothing-to-sweep' : 'too-few' };
  if (!byHand && !isOverCap && !isQuiet) return { kind: 'none', why: 'fee-rate-high' };
  const missing = policy.child.minTreasuryCoins - kept.length;
  const split = byHand || missing <= 0 ? undefined : planSplit(rest, missing, rate, policy);
  if (split !== undefined) return split;
  // The largest first: they bring most for what they cost.
  const coins = [...rest].reverse().slice(0, treasury.maxInputs);
  const feeSat = feeFor(BigInt(coins.length) * policy.sweepInputVbytes + treasury.destinationVbytes, rate, policy);
  if (coins.length === 0) return { kind: 'none', why: 'nothing-to-sweep' };
  return isTooDear(feeSat, coins, policy)
    ? { kind: 'none', why: 'fee-share-high' }
    : { kind: 'sweep', why, coins, feeSat };
}

function reason<Coin extends SpareCoin>(
  rest: readonly Coin[],
  isOverCap: boolean,
  byHand: boolean,
  { treasury }: Policy,
): string | undefined {
  if (rest.length === 0) return undefined;
  if (byHand) return 'by-hand';
  if (isOverCap) return 'over-cap';
  if (rest.length >= treasury.sweepAtOutputs) return 'outputs';
  return rest.some(({ ageMs }) => ageMs >= treasury.maxAgeMs) ? 'age' : undefined;
}

/** As many coins for children as are missing and can be made of a third of what there is, from the largest coins. */
function planSplit<Coin extends SpareCoin>(
  rest: readonly Coin[],
  missing: number,
  rate: bigint,
  policy: Policy,
): TreasuryPlan<Coin> | undefined {
  const { treasuryCoinSat } = policy.child;
  const affordable = Number(sum(rest) / 3n / treasuryCoinSat);
  const count = Math.min(missing, affordable);
  if (count <= 0) return undefined;
  const { outputVbytes, maxInputs } = policy.treasury;
  const coins: Coin[] = [];
  for (const coin of [...rest].reverse().slice(0, maxInputs)) {
    coins.push(coin);
    const size = BigInt(coins.length) * policy.sweepInputVbytes + BigInt(count + 1) * outputVbytes;
    const feeSat = feeFor(size, rate, policy);
    // The change is left above dust.
    const neededSat = BigInt(count) * treasuryCoinSat + feeSat + policy.child.dustSat;
    if (sum(coins) < neededSat) continue;
    return isTooDear(feeSat, coins, policy) ? undefined : { kind: 'split', why: 'reserve-short', coins, count, feeSat };
  }
  return undefined;
}

function feeFor(vbytes: bigint, rate: bigint, { treasury }: Policy): bigint {
  return ((vbytes + treasury.baseVbytes) * rate + 999n) / 1000n;
}

function isTooDear(feeSat: bigint, coins: readonly SpareCoin[], { treasury }: Policy): boolean {
  return feeSat * 100n > sum(coins) * treasury.maxFeePercent;
}

const sum = (coins: readonly SpareCoin[]): bigint => coins.reduce((total, { valueSat }) => total + valueSat, 0n);
