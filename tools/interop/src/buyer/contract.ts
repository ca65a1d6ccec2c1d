import { fundingScript, type ChannelParameters, type Network } from '@seedfleet/payment-channel';
import {
  JS_MARK,
  newKeyPair,
  type Built,
  type KeyPair,
  type Output,
  type ReferenceWallet,
} from '../chain/reference-wallet.js';
import type { JoinedSeller } from './buyer-link.js';

/** One seller's part of a contract. */
export interface Share {
  readonly channel: ChannelParameters;
  readonly contractKey: KeyPair;
}

export interface Contract {
  readonly transaction: Built;
  readonly shares: readonly Share[];
}

/** Deposit of a desktop client: minPrice × pieces of the whole torrent + 600 (session behaviour §8). */
export function desktopValueSat(priceSat: bigint, pieces: number): bigint {
  return priceSat * BigInt(pieces) + 600n;
}

/** How a contract differs from an honest one. */
export interface Deviation {
  /** Really put into the output, where it is not what `ready` says. */
  readonly fundedSat?: bigint;
  /** Said by `ready`; default: the desktop's deposit. */
  readonly valueSat?: bigint;
  /** The lock in the script, where it is not the agreed one. */
  readonly lockUnits?: number;
  readonly feePerKbSat?: bigint;
}

/** The funding transaction: P2SH outputs in picked order, then OP_RETURN "js", then change. Not broadcast. */
export function contractFor(
  wallet: ReferenceWallet,
  network: Network,
  sellers: readonly JoinedSeller[],
  pieces: number,
  deviation: Deviation = {},
): Contract {
  const parts = sellers.map((seller) => ({ seller, contractKey: newKeyPair(), payoutKey: newKeyPair() }));
  const valueOf = ({ terms }: JoinedSeller) => deviation.valueSat ?? desktopValueSat(terms.minPrice, pieces);
  const outputs: Output[] = parts.map(({ seller, contractKey }) => ({
    script: fundingScript({
      lockUnits: deviation.lockUnits ?? seller.terms.minLock,
      buyerPublicKey: contractKey.publicKey,
      sellerPublicKey: seller.publicKey,
    }),
    valueSat: deviation.fundedSat ?? valueOf(seller),
  }));
  const { feePerKbSat } = deviation;
  const transaction = wallet.build([...outputs, JS_MARK], feePerKbSat === undefined ? {} : { feePerKbSat });
  return {
    transaction,
    shares: parts.map(({ seller, contractKey, payoutKey }, index) => ({
      contractKey,
      channel: {
        network,
        priceSat: seller.terms.minPrice,
        lockUnits: seller.terms.minLock,
        settlementFeeSat: seller.terms.settlementFee,
        fundingValueSat: valueOf(seller),
        fundingOutpoint: { txid: transaction.txid, index },
        buyerPublicKey: contractKey.publicKey,
        sellerPublicKey: seller.publicKey,
        buyerKeyHash: payoutKey.keyHash,
        sellerKeyHash: seller.keyHash,
      },
    })),
  };
}
