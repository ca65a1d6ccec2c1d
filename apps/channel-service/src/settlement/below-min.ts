import { paidSat } from '@seedfleet/payment-channel';
import type { Policy } from '@seedfleet/policy';
import type { ChainReport } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';

/** What becomes of a closed channel with payments. `unknown`: the relay minimum is not known at the moment. */
export type BelowMinChoice = 'settle' | 'leave-to-refund' | 'unknown';

/**
 * From kMin on a channel is settled. Below it the settlement pays us nothing, but gives the buyer its change back, with
 * all that was paid as the fee: done where the policy says so and that fee is enough to be relayed (payment channel
 * specification §9).
 */
export function belowMinChoice(row: ChannelRow, report: ChainReport | null, policy: Policy): BelowMinChoice {
  if (row.kMin !== null && row.k >= row.kMin) return 'settle';
  if (policy.belowMin === 'leave-to-refund') return 'leave-to-refund';
  if (report === null) return 'unknown';
  const { settlementVbytes, minRelaySatPerKvb } = policy.returnChange;
  const relay = report.feeRates.relayMinimumSatPerKvb;
  const rate = relay > minRelaySatPerKvb ? relay : minRelaySatPerKvb;
  const neededSat = (settlementVbytes * rate + 999n) / 1_000n;
  return paidSat(Number(row.k), row.priceSat) >= neededSat ? 'settle' : 'leave-to-refund';
}
