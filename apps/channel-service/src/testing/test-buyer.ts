import { randomBytes } from 'node:crypto';
import {
  bestEcdsa,
  fromHex,
  p2shAddress,
  prepareSettlement,
  redeemScriptOf,
  signSettlement,
  type ChannelParameters,
  type Network,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import { keyPairOf, type KeyPair } from '@seedfleet/wallet';

/** A buyer of one channel: its keys, its funding and its payments. */
export class TestBuyer {
  readonly contract: KeyPair = keyPairOf(new Uint8Array(randomBytes(32)));
  readonly payout: KeyPair = keyPairOf(new Uint8Array(randomBytes(32)));
  private template: SettlementTemplate | undefined;

  constructor(
    readonly network: Network,
    readonly seller: { readonly sellerPublicKey: Uint8Array; readonly sellerKeyHash: Uint8Array },
    readonly terms: { readonly priceSat: bigint; readonly lockUnits: number; readonly settlementFeeSat: bigint },
    readonly valueSat: bigint,
  ) {}

  /** Where the funding output has to pay to. */
  fundingAddress(lockUnits = this.terms.lockUnits): string {
    const script = redeemScriptOf({
      sellerPublicKey: this.seller.sellerPublicKey,
      buyerPublicKey: this.contract.publicKey,
      lockUnits,
    });
    return p2shAddress(script, this.network);
  }

  parameters(txid: string, vout = 0): ChannelParameters {
    return {
      network: this.network,
      ...this.terms,
      fundingValueSat: this.valueSat,
      fundingOutpoint: { txid: fromHex(txid), index: vout },
      buyerPublicKey: this.contract.publicKey,
      sellerPublicKey: this.seller.sellerPublicKey,
      buyerKeyHash: this.payout.keyHash,
      sellerKeyHash: this.seller.sellerKeyHash,
    };
  }

  /** From here on payments are for this funding output. */
  funded(txid: string, vout = 0): void {
    this.template = prepareSettlement(this.parameters(txid, vout));
  }

  /** Payment k. */
  pay(k: number): Uint8Array<ArrayBuffer> {
    if (this.template === undefined) throw new Error('not funded');
    return new Uint8Array(signSettlement(this.template, k, this.contract.privateKey, bestEcdsa()));
  }
}
