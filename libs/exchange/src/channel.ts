import { kCap, type ChannelParameters, type Network } from '@seedfleet/payment-channel';
import type { Outpoint, SellerTerms } from '@seedfleet/wire';

/** The two parties' keys and payout destinations as the wire carries them. */
export interface ChannelKeys {
  readonly buyerPublicKey: Uint8Array;
  readonly buyerKeyHash: Uint8Array;
  readonly sellerPublicKey: Uint8Array;
  readonly sellerKeyHash: Uint8Array;
}

/**
 * The channel's immutable snapshot: terms of the accepted `sell`, keys, funding (hazards H20). Bytes are copied, because
 * on one side or the other they are views into a receive buffer.
 */
export function channelParameters(
  network: Network,
  terms: SellerTerms,
  keys: ChannelKeys,
  outpoint: Outpoint,
  valueSat: bigint,
): ChannelParameters {
  return {
    network,
    priceSat: terms.minPrice,
    lockUnits: terms.minLock,
    settlementFeeSat: terms.settlementFee,
    fundingValueSat: valueSat,
    fundingOutpoint: { txid: outpoint.txid.slice(), index: outpoint.index },
    buyerPublicKey: keys.buyerPublicKey.slice(),
    buyerKeyHash: keys.buyerKeyHash.slice(),
    sellerPublicKey: keys.sellerPublicKey.slice(),
    sellerKeyHash: keys.sellerKeyHash.slice(),
  };
}

/**
 * Most payments a channel can carry with every settlement relayable. A price of zero never uses up the funding. Zero
 * also stands for a funding value that is out of range.
 */
export function paymentLimit(parameters: ChannelParameters): number {
  if (parameters.priceSat === 0n) return Number.MAX_SAFE_INTEGER;
  const cap = kCap(parameters.fundingValueSat, parameters.priceSat);
  return cap.ok ? cap.k : 0;
}
