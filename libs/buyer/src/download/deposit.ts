import { kMin } from '@seedfleet/payment-channel';

/** What the default buyer adds to the price of the pieces, so that the last settlement's change is no dust. */
export const DEPOSIT_MARGIN_SAT = 600n;

export interface DepositNeed {
  readonly priceSat: bigint;
  readonly settlementFeeSat: bigint;
  /** Pieces not there yet. */
  readonly missing: number;
}

export type DepositResult =
  | { readonly ok: true; readonly valuesSat: readonly bigint[] }
  /** Fewer than 2·kMin payments to each seller: it may never see a satoshi of what it delivers, and would decline. */
  | { readonly ok: false; readonly leastSat: bigint };

/**
 * The deposit for each seller of one contract: all that is missing from each of them, so that any one can finish alone,
 * or an equal share of the budget. Never below 2·kMin payments: what is not spent comes back.
 */
export function depositsFor(sellers: readonly DepositNeed[], budgetSat?: bigint): DepositResult {
  const least = sellers.map(({ priceSat, settlementFeeSat }) =>
    valueOf(priceSat, leastPayments(priceSat, settlementFeeSat)),
  );
  const whole = sellers.map(({ priceSat, settlementFeeSat, missing }) => {
    const payments = Math.max(missing, leastPayments(priceSat, settlementFeeSat));
    return valueOf(priceSat, payments);
  });
  if (budgetSat === undefined || total(whole) <= budgetSat) return { ok: true, valuesSat: whole };
  const shareSat = budgetSat / BigInt(Math.max(1, sellers.length));
  const values = whole.map((wholeSat, place) =>
    wholeSat < shareSat ? wholeSat : floorToPrice(shareSat, sellers[place]),
  );
  const enough = values.every((valueSat, place) => valueSat >= (least[place] ?? 0n));
  return enough ? { ok: true, valuesSat: values } : { ok: false, leastSat: largest(least) * BigInt(sellers.length) };
}

function leastPayments(priceSat: bigint, settlementFeeSat: bigint): number {
  const first = kMin(priceSat, settlementFeeSat);
  // A seller that asks nothing is owed nothing.
  return first.ok ? 2 * first.k : 0;
}

function valueOf(priceSat: bigint, payments: number): bigint {
  return priceSat * BigInt(payments) + DEPOSIT_MARGIN_SAT;
}

/** A whole number of payments and the margin: a part of a price would only lie locked. */
function floorToPrice(shareSat: bigint, seller: DepositNeed | undefined): bigint {
  const priceSat = seller?.priceSat ?? 0n;
  if (priceSat === 0n || shareSat < DEPOSIT_MARGIN_SAT) return shareSat;
  return ((shareSat - DEPOSIT_MARGIN_SAT) / priceSat) * priceSat + DEPOSIT_MARGIN_SAT;
}

function total(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((max, value) => (value > max ? value : max), 0n);
}
