import {
  equalBytes,
  prepareSettlement,
  signedSettlement,
  signSettlement,
  verifyPayment,
  type ChannelParameters,
  type Ecdsa,
  type Network,
  type PaymentError,
  type RawTransaction,
} from '@seedfleet/payment-channel';
import { channelKeychain, type ChannelKeychain, type ChannelKeyPath } from '@seedfleet/wallet';

/** Why nothing is signed. */
export type SignRefusal =
  | PaymentError
  /** The channel's contract key is not the one at this path: another seed, network, or a corrupted row. */
  | 'contract-key-mismatch'
  /** The settlement would pay somebody else than the key at this path. */
  | 'payout-key-mismatch';

export interface SettlementOrder {
  readonly path: ChannelKeyPath;
  readonly channel: ChannelParameters;
  readonly k: number;
  /** The buyer's payment k, DER without a sighash byte. */
  readonly buyerSignature: Uint8Array;
}

export type SignedSettlement =
  { readonly ok: true; readonly transaction: RawTransaction } | { readonly ok: false; readonly code: SignRefusal };

/** The public part of what a path holds: all that the intake may know. */
export interface PublicContractKey extends ChannelKeyPath {
  readonly publicKey: Uint8Array;
  readonly payoutKeyHash: Uint8Array;
}

/**
 * The holder of the keys. It signs one thing only: the canonical settlement of a payment that it has verified itself,
 * for the contract key of the path, paying the payout key of the same path. A remote signer can implement it.
 */
export interface Signer {
  publicKey(path: ChannelKeyPath): Promise<PublicContractKey>;
  signSettlement(order: SettlementOrder): Promise<SignedSettlement>;
}

/** A signer with the seed in this process. Signatures are deterministic: the same order gives the same transaction. */
export class SeedSigner implements Signer {
  private readonly keychain: ChannelKeychain;

  constructor(
    seed: Uint8Array,
    private readonly network: Network,
    private readonly ecdsa: Ecdsa,
  ) {
    this.keychain = channelKeychain(seed, network);
  }

  publicKey(path: ChannelKeyPath): Promise<PublicContractKey> {
    const { contract, payout } = this.keychain.at(path);
    return Promise.resolve({ ...path, publicKey: contract.publicKey, payoutKeyHash: payout.keyHash });
  }

  signSettlement({ path, channel, k, buyerSignature }: SettlementOrder): Promise<SignedSettlement> {
    const { contract, payout } = this.keychain.at(path);
    const isOurs = equalBytes(contract.publicKey, channel.sellerPublicKey) && channel.network === this.network;
    if (!isOurs) return Promise.resolve({ ok: false, code: 'contract-key-mismatch' });
    if (!equalBytes(payout.keyHash, channel.sellerKeyHash)) {
      return Promise.resolve({ ok: false, code: 'payout-key-mismatch' });
    }
    const template = prepareSettlement(channel);
    const verdict = verifyPayment(template, k, buyerSignature, this.ecdsa);
    if (!verdict.ok) return Promise.resolve(verdict);
    const ownSignature = signSettlement(template, k, contract.privateKey, this.ecdsa);
    return Promise.resolve({ ok: true, transaction: signedSettlement(channel, k, buyerSignature, ownSignature) });
  }
}
