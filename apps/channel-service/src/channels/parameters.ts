import { fromHex, type ChannelParameters, type Network } from '@seedfleet/payment-channel';
import type { ChannelRow } from './channel-row.js';

/**
 * What determines a channel's settlements, from its row: the accepted quote, our key, and what `ready` brought.
 * Null before `ready`.
 */
export function channelParameters(row: ChannelRow, network: Network): ChannelParameters | null {
  if (
    row.buyerPublicKey === null ||
    row.buyerKeyHash === null ||
    row.fundingValueSat === null ||
    row.fundingTxid === null ||
    row.fundingVout === null
  ) {
    return null;
  }
  return {
    network,
    priceSat: row.priceSat,
    lockUnits: row.lockUnits,
    settlementFeeSat: row.settlementFeeSat,
    fundingValueSat: row.fundingValueSat,
    fundingOutpoint: { txid: fromHex(row.fundingTxid), index: row.fundingVout },
    buyerPublicKey: row.buyerPublicKey,
    sellerPublicKey: row.sellerPublicKey,
    buyerKeyHash: row.buyerKeyHash,
    sellerKeyHash: row.sellerKeyHash,
  };
}
