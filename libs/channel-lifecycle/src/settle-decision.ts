import { isCollectable, paidSat } from '@seedfleet/payment-channel';

/** What to do with the last payment of a channel, by its number alone (payment channel §9). */

/**
 * Channels that end below kMin, whose settlement has no output for us.
 * - `return-change`: settle all the same where it is relayed. It costs us nothing, the buyer gets its change, and taking
 *   a torrent in several channels each stopped short of kMin costs the full price in fees.
 * - `leave-to-refund`: for buyers known to refund by themselves.
 */
export type BelowMinPolicy = 'return-change' | 'leave-to-refund';

/** Size of a settlement without a seller output, at most. */
const SETTLEMENT_WITHOUT_SELLER_VBYTES = 313n;

export type SettleDecision =
  /** The settlement pays us. */
  | 'settle'
  /** The settlement only returns the buyer's change; all of k·P is mining fee. */
  | 'return-change'
  /** k = 0: nobody owes anybody. */
  | 'nothing-paid'
  /** k·P is less fee than nodes relay for, so the settlement would go nowhere. */
  | 'below-relay-minimum'
  /** Below kMin, and the policy leaves the buyer to its refund. */
  | 'left-to-refund';

export function decideSettlement(
  channel: {
    /** The frozen payment number. */
    readonly k: number;
    readonly priceSat: bigint;
    readonly settlementFeeSat: bigint;
  },
  belowMin: BelowMinPolicy,
  minRelaySatPerKvb: bigint,
): SettleDecision {
  const { k, priceSat, settlementFeeSat } = channel;
  if (k <= 0) return 'nothing-paid';
  if (isCollectable(k, priceSat, settlementFeeSat)) return 'settle';
  if (belowMin === 'leave-to-refund') return 'left-to-refund';
  const isRelayed = paidSat(k, priceSat) * 1000n >= SETTLEMENT_WITHOUT_SELLER_VBYTES * minRelaySatPerKvb;
  return isRelayed ? 'return-change' : 'below-relay-minimum';
}

/** Whether there is a settlement to sign. */
export function isSettled(decision: SettleDecision): decision is 'settle' | 'return-change' {
  return decision === 'settle' || decision === 'return-change';
}
