import type { ChannelAmounts } from '@seedfleet/payment-channel';
import { kMin } from '@seedfleet/payment-channel';
import type { Policy } from './policy.js';

/** May this channel be opened, may this funding be served: verdicts on economics alone. */

export type JoinRefusal =
  /** Price, pieces or fee make no sense: zero, negative or beyond all money. */
  | { readonly code: 'terms-out-of-range' }
  /** Settlement and sweep would take too large a part of a complete sale. */
  | { readonly code: 'fee-share-too-high'; readonly feesSat: bigint; readonly grossSat: bigint }
  /** The first collectable payment comes too late in the torrent, or never. */
  | { readonly code: 'k-min-too-late'; readonly kMin: number; readonly latest: number }
  /** A complete sale would bring too little after the settlement fee. */
  | { readonly code: 'net-too-small'; readonly netSat: bigint };

export type ReadyRefusal =
  /** The funding value does not reach the first collectable payment. */
  { readonly code: 'funding-below-k-min'; readonly kMin: number; readonly kCap: number };

export type GateVerdict<Refusal> = { readonly ok: true } | { readonly ok: false; readonly refusal: Refusal };

/**
 * Whether to answer `join_contract` with `joining_contract`. The funding value is not known yet, so a complete sale of
 * all N pieces is assumed. The default price formula passes for every N while F is at most 450.
 */
export function gateAtJoin(
  sale: {
    readonly pieces: number;
    readonly priceSat: bigint;
    readonly settlementFeeSat: bigint;
    readonly sweepCostSat: bigint;
  },
  policy: Policy,
): GateVerdict<JoinRefusal> {
  const { pieces, priceSat } = sale;
  const first = kMin(priceSat, sale.settlementFeeSat);
  if (!first.ok || !Number.isSafeInteger(pieces) || pieces < 1) return refuse({ code: 'terms-out-of-range' });
  const { maxFeeSharePercent, kMinAtLatestDivisor, minNetSat } = policy.joinGate;
  const grossSat = BigInt(pieces) * priceSat;
  const feesSat = sale.settlementFeeSat + sale.sweepCostSat;
  if (feesSat * 100n > grossSat * maxFeeSharePercent) return refuse({ code: 'fee-share-too-high', feesSat, grossSat });
  const latest = Math.ceil(pieces / kMinAtLatestDivisor);
  if (first.k > latest) return refuse({ code: 'k-min-too-late', kMin: first.k, latest });
  const netSat = grossSat - sale.settlementFeeSat;
  return netSat < minNetSat ? refuse({ code: 'net-too-small', netSat }) : { ok: true };
}

/** Whether a validly funded channel is served. Economics refuse only one that can never pay the seller anything. */
export function gateAtReady(amounts: ChannelAmounts, policy: Policy): GateVerdict<ReadyRefusal> {
  const needed = amounts.kMin + policy.readyGate.marginPayments;
  return amounts.kCap < needed
    ? refuse({ code: 'funding-below-k-min', kMin: amounts.kMin, kCap: amounts.kCap })
    : { ok: true };
}

function refuse<Refusal>(refusal: Refusal): GateVerdict<Refusal> {
  return { ok: false, refusal };
}
