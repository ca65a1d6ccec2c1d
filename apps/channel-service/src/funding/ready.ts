import { channelFund } from '@seedfleet/bus';
import {
  channelAmounts,
  checkParameters,
  fromHex,
  type ChannelAmounts,
  type Ecdsa,
  type Network,
  type ParameterError,
} from '@seedfleet/payment-channel';
import { gateAtReady, type Policy } from '@seedfleet/policy';
import type { z } from 'zod';
import type { ChannelRow } from '../channels/channel-row.js';

export type FundRequest = z.output<typeof channelFund.request>;

/** What is wrong with a `ready` by itself, before the chain is asked. */
export type ReadyFault = ParameterError | 'price-zero' | 'funding-below-k-min';

export type ReadyResult =
  | { readonly ok: true; readonly amounts: ChannelAmounts }
  | { readonly ok: false; readonly code: ReadyFault; readonly amounts: ChannelAmounts };

const NO_AMOUNTS: ChannelAmounts = { kMin: 0, kPay: 0, kCap: 0 };

/** Checks 1 and 7 of the payment channel specification §8: keys, value, and that the channel can pay at all. */
export function checkReady(
  row: ChannelRow,
  request: FundRequest,
  context: { readonly network: Network; readonly policy: Policy; readonly ecdsa: Ecdsa },
): ReadyResult {
  const fault = checkParameters(
    {
      network: context.network,
      priceSat: row.priceSat,
      lockUnits: row.lockUnits,
      settlementFeeSat: row.settlementFeeSat,
      fundingValueSat: request.valueSat,
      fundingOutpoint: { txid: fromHex(request.txid), index: request.vout },
      buyerPublicKey: request.buyerPublicKey,
      sellerPublicKey: row.sellerPublicKey,
      buyerKeyHash: request.buyerKeyHash,
      sellerKeyHash: row.sellerKeyHash,
    },
    context.ecdsa,
  );
  if (fault !== undefined) return { ok: false, code: fault, amounts: NO_AMOUNTS };
  const computed = channelAmounts({ ...row, fundingValueSat: request.valueSat });
  if (!computed.ok) return { ok: false, code: computed.code, amounts: NO_AMOUNTS };
  const gate = gateAtReady(computed.amounts, context.policy);
  if (!gate.ok) return { ok: false, code: gate.refusal.code, amounts: computed.amounts };
  return { ok: true, amounts: computed.amounts };
}

/** Whether a repeated request says the same as the one stored. */
export function isSameReady(row: ChannelRow, request: FundRequest): boolean {
  return (
    row.fundingValueSat === request.valueSat &&
    row.fundingTxid === request.txid &&
    row.fundingVout === request.vout &&
    sameBytes(row.buyerPublicKey, request.buyerPublicKey) &&
    sameBytes(row.buyerKeyHash, request.buyerKeyHash)
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && Buffer.from(a).equals(b);
}
