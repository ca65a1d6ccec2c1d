import { channelOpen } from '@seedfleet/bus';
import { MAX_LOCK_UNITS, MAX_MONEY_SAT } from '@seedfleet/payment-channel';
import {
  gateAtJoin,
  joinLimit,
  settlementFeeSat,
  staleQuote,
  sweepCostSat,
  type FeeEstimates,
  type JoinLimit,
  type JoinRefusal,
  type JoinsWaiting,
  type Policy,
} from '@seedfleet/policy';
import type { z } from 'zod';

export type OpenRequest = z.output<typeof channelOpen.request>;
export type OpenReply = z.output<typeof channelOpen.reply>;
export type SellerTerms = OpenRequest['terms'];

/** Why a join is refused. */
export type OpenRefusal =
  | JoinRefusal['code']
  | JoinLimit
  /** The node's payments or requests were false; a person has to release it. */
  | 'node-quarantined'
  /** Chain and fee rates are not known at the moment. */
  | 'chain-unknown'
  /** The settlement fee is below what nodes relay, on a chain where nothing can add to it afterwards. */
  | 'fee-below-relay'
  /** The lock leaves too little time to settle. */
  | 'lock-too-short'
  /** The settlement fee has risen too far since the quote. */
  | 'quote-stale'
  /** Another node has used this id of a join. */
  | 'join-id-taken'
  /** No contract key is left; the settler makes new ones. */
  | 'no-contract-key';

export interface GateRefusal {
  readonly code: OpenRefusal;
  readonly detail: string;
  readonly revisedTerms: SellerTerms | null;
}

/**
 * May this join become a channel? Null when it may. Economics only: nothing here depends on who asks but `waiting`.
 * @param relayFloor the least settlement fee, satoshi, where a child can't add to it; else 0
 */
export function gateJoin(
  request: OpenRequest,
  estimates: FeeEstimates,
  waiting: JoinsWaiting,
  policy: Policy,
  minLockUnits: number = policy.lock.minUnits,
  relayFloor = 0n,
): GateRefusal | null {
  const limit = joinLimit(waiting, policy);
  if (limit !== undefined) return refuse(limit, 'too many joins wait for their funding');
  const { terms } = request;
  if (terms.priceSat > MAX_MONEY_SAT || terms.settlementFeeSat > MAX_MONEY_SAT || terms.lockUnits > MAX_LOCK_UNITS) {
    return refuse('terms-out-of-range', 'price, fee or lock beyond all bounds');
  }
  const nowSat = settlementFeeSat(estimates, policy);
  const revised = { ...terms, settlementFeeSat: nowSat > relayFloor ? nowSat : relayFloor };
  if (terms.settlementFeeSat < relayFloor) {
    const detail = `a fee of ${terms.settlementFeeSat} sat; nodes relay from ${relayFloor} sat on`;
    return refuse('fee-below-relay', detail, passes(request, revised, estimates, policy));
  }
  if (terms.lockUnits < minLockUnits) {
    const lockUnits = minLockUnits;
    const detail = `a lock of ${terms.lockUnits} units; at least ${lockUnits} are needed`;
    return refuse('lock-too-short', detail, passes(request, { ...terms, lockUnits }, estimates, policy));
  }
  if (staleQuote({ settlementFeeSat: terms.settlementFeeSat, ageMs: 0 }, revised.settlementFeeSat, policy)) {
    const detail = `quoted ${terms.settlementFeeSat} sat, now ${revised.settlementFeeSat} sat`;
    return refuse('quote-stale', detail, passes(request, revised, estimates, policy));
  }
  const refusal = economics(request, terms, estimates, policy);
  if (refusal === null) return null;
  return refuse(refusal.code, describe(refusal), passes(request, revised, estimates, policy));
}

function economics(
  request: OpenRequest,
  terms: SellerTerms,
  estimates: FeeEstimates,
  policy: Policy,
): JoinRefusal | null {
  const verdict = gateAtJoin(
    {
      pieces: request.pieceCount,
      priceSat: terms.priceSat,
      settlementFeeSat: terms.settlementFeeSat,
      sweepCostSat: sweepCostSat(estimates, policy),
    },
    policy,
  );
  return verdict.ok ? null : verdict.refusal;
}

/** Revised terms are only offered where they differ and would be taken: repeating a `sell` makes buyers loop. */
function passes(
  request: OpenRequest,
  revised: SellerTerms,
  estimates: FeeEstimates,
  policy: Policy,
): SellerTerms | null {
  const { terms } = request;
  const same = terms.settlementFeeSat === revised.settlementFeeSat && terms.lockUnits === revised.lockUnits;
  return same || economics(request, revised, estimates, policy) !== null ? null : revised;
}

function refuse(code: OpenRefusal, detail: string, revisedTerms: SellerTerms | null = null): GateRefusal {
  return { code, detail, revisedTerms };
}

function describe(refusal: JoinRefusal): string {
  switch (refusal.code) {
    case 'terms-out-of-range':
      return 'price, pieces or fee make no sense';
    case 'fee-share-too-high':
      return `fees of ${refusal.feesSat} sat on a sale of ${refusal.grossSat} sat`;
    case 'k-min-too-late':
      return `collectable from payment ${refusal.kMin}, at latest ${refusal.latest} is allowed`;
    case 'net-too-small':
      return `a complete sale brings ${refusal.netSat} sat`;
  }
}
