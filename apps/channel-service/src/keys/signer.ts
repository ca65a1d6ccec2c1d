import { createHmac } from 'node:crypto';
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
import {
  addressHashKey,
  buildPayment,
  channelKeychain,
  outputScript,
  ownCoin,
  sumSat,
  type SpendError,
} from '@seedfleet/wallet';
import type { Destination } from './destination.js';
import type { ChannelKeychain, ChannelKeyPath, Coin, Payment } from '@seedfleet/wallet';

/** Why nothing is signed. */
export type SignRefusal =
  | PaymentError
  /** The channel's contract key is not the one at this path: another seed, network, or a corrupted row. */
  | 'contract-key-mismatch'
  /** The settlement would pay somebody else than the key at this path. */
  | 'payout-key-mismatch'
  /** A signer with a log has settled another channel, or the same with other terms or funding, with this key. */
  | 'path-used-otherwise'
  /** … has signed a settlement of a later payment of this channel. */
  | 'payment-below-signed'
  /** … has signed the settlement of this payment with another signature of the buyer, and so another transaction. */
  | 'payment-signed-otherwise'
  /** … has signed with this key, and then nothing for so long that all of it is over: it never signs again. */
  | 'path-over'
  /** Keys or amounts that are none. */
  | 'malformed';

export interface SettlementOrder {
  readonly path: ChannelKeyPath;
  readonly channel: ChannelParameters;
  readonly k: number;
  /** The buyer's payment k, DER without a sighash byte. */
  readonly buyerSignature: Uint8Array;
}

/** A coin on one of our payout keys. Its value is read from the transaction that made it. */
export interface CoinOrder {
  readonly path: ChannelKeyPath;
  readonly transaction: Uint8Array;
  readonly vout: number;
}

/** The child that pays for a settlement: it spends our output of it, and pays the payout key of the same path. */
export interface ChildOrder {
  readonly settlement: CoinOrder;
  /** The channel that the settlement is of: tells it from any other coin of ours. */
  readonly channel: ChannelParameters;
  /** Confirmed coins that are added. */
  readonly coins: readonly CoinOrder[];
  readonly feeSat: bigint;
}

/** Moves coins on payout keys. */
export interface TreasuryOrder {
  readonly coins: readonly CoinOrder[];
  readonly feeSat: bigint;
}

/** Sends coins to the operator's own wallet, which the signer knows: nobody can name another one. */
export interface SweepOrder extends TreasuryOrder {
  /** Which of the wallet's addresses; null where it has one. */
  readonly index: number | null;
}

/** Makes coins for children: `count` of `valueSat`, and change, all on the payout key of the first coin's path. */
export interface SplitOrder extends TreasuryOrder {
  readonly count: number;
  readonly valueSat: bigint;
}

export type TreasuryRefusal =
  /** The signer knows no wallet to sweep to, or no such address of it. */
  | 'no-destination'
  | SpendError['code']
  /** An output is not on the payout key of its path. */
  | 'not-our-coin'
  /** A child is asked for something else than a settlement of the channel. */
  | 'not-a-settlement'
  /** The fees of this day, all together, are more than a signer with a log gives. */
  | 'fees-of-the-day-spent'
  /** Keys or amounts that are none. */
  | 'malformed'
  /** The fee is above what the rules of this signer allow, or none. */
  | 'fee-over-limit';

export type SignedTreasury =
  | {
      readonly ok: true;
      readonly transaction: RawTransaction;
      /** Sum of the coins, satoshi. */
      readonly inputSat: bigint;
      /** What the outputs hold, in order. */
      readonly outputsSat: readonly bigint[];
    }
  | { readonly ok: false; readonly code: TreasuryRefusal };

/** What the signer allows, whoever asks. */
export interface SignerRules {
  /** Per cent of what a settlement pays us that its child may cost. */
  readonly childFeePercent: bigint;
  /** Per cent of its coins that a sweep or split may cost. */
  readonly treasuryFeePercent: bigint;
  /** The operator's own wallet; null where there is none. */
  readonly destination: Pick<Destination, 'script'> | null;
}

export type SignedSettlement =
  { readonly ok: true; readonly transaction: RawTransaction } | { readonly ok: false; readonly code: SignRefusal };

/** The public part of what a path holds: all that the intake may know. */
export interface PublicContractKey extends ChannelKeyPath {
  readonly publicKey: Uint8Array;
  readonly payoutKeyHash: Uint8Array;
}

/**
 * The holder of the keys. It signs the canonical settlement of a payment that it has verified itself, for the contract key
 * of the path, paying the payout key of the same path; and transactions that spend payout keys, which pay nobody but
 * ourselves, for a fee within its rules. A remote signer can implement it.
 */
export interface Signer {
  publicKey(path: ChannelKeyPath): Promise<PublicContractKey>;
  signSettlement(order: SettlementOrder): Promise<SignedSettlement>;
  signChild(order: ChildOrder): Promise<SignedTreasury>;
  signSweep(order: SweepOrder): Promise<SignedTreasury>;
  signSplit(order: SplitOrder): Promise<SignedTreasury>;
  /** A keyed hash of a peer's address, 22 characters: equal addresses can be told as such, and none be found out. */
  hashAddress(address: string): Promise<string>;
}

/** A signer with the seed in this process. Signatures are deterministic: the same order gives the same transaction. */
export class SeedSigner implements Signer {
  private readonly keychain: ChannelKeychain;
  private readonly addressKey: Uint8Array;

  constructor(
    seed: Uint8Array,
    private readonly network: Network,
    private readonly ecdsa: Ecdsa,
    private readonly rules: SignerRules,
  ) {
    this.keychain = channelKeychain(seed, network);
    this.addressKey = addressHashKey(seed);
  }

  hashAddress(address: string): Promise<string> {
    const hash = createHmac('sha256', this.addressKey).update(address).digest();
    return Promise.resolve(hash.subarray(0, 16).toString('base64url'));
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

  signChild({ settlement, coins: added, feeSat }: ChildOrder): Promise<SignedTreasury> {
    const coins = this.coinsOf([settlement, ...added]);
    const [earned] = coins ?? [];
    if (coins === undefined || earned === undefined) return Promise.resolve({ ok: false, code: 'not-our-coin' });
    if (feeSat * 100n > earned.valueSat * this.rules.childFeePercent) {
      return Promise.resolve({ ok: false, code: 'fee-over-limit' });
    }
    const script = outputScript('p2pkh', earned.key.keyHash);
    return Promise.resolve(this.spend(coins, [{ script, valueSat: sumSat(coins) - feeSat }], feeSat));
  }

  signSweep({ coins: orders, feeSat, index }: SweepOrder): Promise<SignedTreasury> {
    const script = this.rules.destination?.script(index);
    if (script === undefined) return Promise.resolve({ ok: false, code: 'no-destination' });
    return Promise.resolve(this.spendWithin(orders, feeSat, (coins) => [{ script, valueSat: sumSat(coins) - feeSat }]));
  }

  signSplit({ coins: orders, feeSat, count, valueSat }: SplitOrder): Promise<SignedTreasury> {
    return Promise.resolve(
      this.spendWithin(orders, feeSat, (coins, own) => {
        const changeSat = sumSat(coins) - feeSat - BigInt(count) * valueSat;
        const made = Array.from({ length: count }, () => ({ script: own, valueSat }));
        return [...made, { script: own, valueSat: changeSat }];
      }),
    );
  }

  private spendWithin(
    orders: readonly CoinOrder[],
    feeSat: bigint,
    outputs: (coins: readonly Coin[], own: Uint8Array) => readonly Payment[],
  ): SignedTreasury {
    const coins = this.coinsOf(orders);
    const [first] = coins ?? [];
    if (coins === undefined || first === undefined) return { ok: false, code: 'not-our-coin' };
    if (feeSat * 100n > sumSat(coins) * this.rules.treasuryFeePercent) return { ok: false, code: 'fee-over-limit' };
    return this.spend(coins, outputs(coins, outputScript('p2pkh', first.key.keyHash)), feeSat);
  }

  /** Undefined where one is not ours. */
  private coinsOf(orders: readonly CoinOrder[]): Coin[] | undefined {
    const coins: Coin[] = [];
    for (const { path, transaction, vout } of orders) {
      const coin = ownCoin(transaction, vout, this.keychain.at(path).payout);
      if (coin === undefined) return undefined;
      coins.push(coin);
    }
    return coins;
  }

  private spend(coins: readonly Coin[], outputs: readonly Payment[], feeSat: bigint): SignedTreasury {
    if (feeSat <= 0n) return { ok: false, code: 'fee-over-limit' };
    const built = buildPayment(this.network, coins, outputs, this.ecdsa);
    if (!built.ok) return { ok: false, code: built.error.code };
    const outputsSat = outputs.map(({ valueSat }) => valueSat);
    return { ok: true, transaction: built.transaction, inputSat: sumSat(coins), outputsSat };
  }
}
