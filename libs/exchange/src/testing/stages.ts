/** Brings a connection to a named state of the state machine, for specs. */

import { prepareSettlement, type SettlementTemplate } from '@seedfleet/payment-channel';
import type { Message } from '@seedfleet/wire';

import type { SellerLimits } from '../config.js';
import { BUYER_TERMS, connectionConfig, party, Probe, SELLER_TERMS } from './parties.js';

const seller = party(7);
const buyer = party(8);

export const FUNDING_TXID = new Uint8Array(32).fill(0xab);

/** In S.Ready with the peer as a compatible buyer, terms at index 0. */
export function sellingProbe(limits: Partial<SellerLimits> = {}): Probe {
  const probe = new Probe(connectionConfig(limits));
  probe.step({ type: 'sell' });
  probe.step({ type: 'start' });
  probe.shake();
  probe.recv({ type: 'buy', terms: BUYER_TERMS });
  probe.step({ type: 'quote', terms: SELLER_TERMS });
  return probe;
}

/** In S.Joined. */
export function joinedProbe(limits: Partial<SellerLimits> = {}): Probe {
  const probe = sellingProbe(limits);
  probe.recv({ type: 'join_contract', index: 0 });
  const { publicKey, keyHash } = seller;
  probe.step({ type: 'join-accepted', invitation: 1, sellerPublicKey: publicKey, sellerKeyHash: keyHash });
  return probe;
}

export function readyMessage(valueSat: bigint): Message {
  const { publicKey, keyHash } = buyer;
  const outpoint = { txid: FUNDING_TXID, index: 1 };
  return { type: 'ready', value: valueSat, outpoint, buyerPublicKey: publicKey, buyerKeyHash: keyHash };
}

/** In S.Serving with a funding of so much, served without limit unless a verdict is left out. */
export function servingProbe(limits: Partial<SellerLimits> = {}, valueSat = 10_600n, verdict = true): Probe {
  const probe = joinedProbe(limits);
  probe.recv(readyMessage(valueSat));
  if (verdict) probe.step({ type: 'funding-verdict', verdict: { kind: 'serve-all' } });
  return probe;
}

/** The settlements of `servingProbe`'s channel; `cash` takes the other signing rule. */
export function settlementOf(valueSat = 10_600n, cash = false): SettlementTemplate {
  return prepareSettlement({
    network: cash ? 'regtest_bitcoin_cash' : 'regtest',
    priceSat: SELLER_TERMS.minPrice,
    lockUnits: SELLER_TERMS.minLock,
    settlementFeeSat: SELLER_TERMS.settlementFee,
    fundingValueSat: valueSat,
    fundingOutpoint: { txid: FUNDING_TXID, index: 1 },
    buyerPublicKey: buyer.publicKey,
    sellerPublicKey: seller.publicKey,
    buyerKeyHash: buyer.keyHash,
    sellerKeyHash: seller.keyHash,
  });
}

/** Payment k by the buyer of `servingProbe`. */
export function paymentOf(number: number, template: SettlementTemplate = settlementOf()): Message {
  return { type: 'payment', signature: buyer.sign(template.digest(number)) };
}

/** A buyer that has shopped at a peer announcing `SELLER_TERMS`: B.Ready. */
export function shoppingProbe(): Probe {
  const probe = new Probe();
  probe.step({ type: 'buy', terms: BUYER_TERMS });
  probe.step({ type: 'start' });
  probe.shake();
  probe.recv({ type: 'sell', terms: SELLER_TERMS, index: 3 });
  return probe;
}

/** B.Prepare. */
export function preparingProbe(): Probe {
  const probe = shoppingProbe();
  probe.step({ type: 'invite' });
  const { publicKey, keyHash } = seller;
  probe.recv({ type: 'joining_contract', sellerPublicKey: publicKey, sellerKeyHash: keyHash });
  return probe;
}

/** B.Loading with a funding of so much. */
export function loadingProbe(valueSat = 10_600n): Probe {
  const probe = preparingProbe();
  const { publicKey, keyHash, sign } = buyer;
  const outpoint = { txid: FUNDING_TXID, index: 1 };
  probe.step({
    type: 'contract-ready',
    funding: { valueSat, outpoint, buyerPublicKey: publicKey, buyerKeyHash: keyHash, sign },
  });
  return probe;
}
