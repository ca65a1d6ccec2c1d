import { BIP32Factory } from 'bip32';
import type { BIP32Interface } from 'bip32';
import type { Network } from '@seedfleet/payment-channel';
import { NETWORKS, addressParameters, hasSegwit, hash160 } from '@seedfleet/payment-channel';
import * as tiny from 'tiny-secp256k1';

/**
 * Every key of a seller or buyer, from one seed (BIP 32). Channel keys are hardened at each level: whoever learns one of
 * them, with any public key he likes, learns nothing about another. Wallet addresses follow BIP 84 (or BIP 44 where the
 * chain has no segregated witness), so that the same seed opens in other wallets.
 */

export interface KeyPair {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** 33 bytes compressed. */
  readonly publicKey: Uint8Array;
  /** HASH160 of the public key, 20 bytes. */
  readonly keyHash: Uint8Array;
}

/** The two keys that one side brings to one channel. */
export interface ChannelKeys {
  /** In the redeem script. Used for this channel only. */
  readonly contract: KeyPair;
  /** Behind the final key hash: where earnings or change go. */
  readonly payout: KeyPair;
}

/** Which channel of which life of the seed. Each path is used once. */
export interface ChannelKeyPath {
  /** Grows by one with each restore from backup, so that a forgotten index is never handed out twice. 0…2³¹−1. */
  readonly epoch: number;
  /** Grows by one with each join. 0…2³¹−1. */
  readonly index: number;
}

export interface ChannelKeychain {
  /** Throws RangeError where epoch or index is out of range. */
  at(path: ChannelKeyPath): ChannelKeys;
}

/** First path level of the channel keys; no BIP claims it, so it meets no other wallet of the same seed. */
const CHANNEL_PURPOSE = 5853;

/** Last path level of the channel keys. */
const CONTRACT_ROLE = 0;
const PAYOUT_ROLE = 1;

const LARGEST_LEVEL = 0x7fff_ffff;

const bip32 = BIP32Factory(tiny);

/**
 * Channel keys at `m/5853'/network'/account'/epoch'/index'/role'`, the network by its position in `NETWORKS`.
 * @param seed 16…64 bytes of entropy.
 */
export function channelKeychain(seed: Uint8Array, network: Network, account = 0): ChannelKeychain {
  const root = hardened(bip32.fromSeed(seed), CHANNEL_PURPOSE, NETWORKS.indexOf(network), account);
  // Joins come within one epoch, so its node is kept; four derivations fewer per join.
  let current: { readonly epoch: number; readonly node: BIP32Interface } | undefined;
  return {
    at({ epoch, index }) {
      if (current?.epoch !== epoch) current = { epoch, node: hardened(root, epoch) };
      const node = hardened(current.node, index);
      return { contract: keyPair(hardened(node, CONTRACT_ROLE)), payout: keyPair(hardened(node, PAYOUT_ROLE)) };
    },
  };
}

/**
 * 32 bytes that seal the notes of a buyer's funding transactions, at `m/5853'/network'/account'/2147483647'`: an epoch
 * that no restore will ever reach.
 */
export function noteKey(seed: Uint8Array, network: Network, account = 0): Uint8Array {
  const node = hardened(bip32.fromSeed(seed), CHANNEL_PURPOSE, NETWORKS.indexOf(network), account, LARGEST_LEVEL);
  return keyPair(node).privateKey;
}

/** What an address of the wallet is for: 0 to receive, 1 for change (BIP 44). */
export type WalletChain = 'receive' | 'change';

export interface WalletAccount {
  /** Whether its outputs are P2WPKH, else P2PKH. */
  readonly kind: 'p2wpkh' | 'p2pkh';
  /** Throws RangeError where the index is not in 0…2³¹−1. */
  key(chain: WalletChain, index: number): KeyPair;
}

/** The account's wallet keys at `m/84'/coin'/account'/chain/index`, or 44' without segregated witness. */
export function walletAccount(seed: Uint8Array, network: Network, account = 0): WalletAccount {
  const segwit = hasSegwit(network);
  const root = hardened(bip32.fromSeed(seed), segwit ? 84 : 44, coinType(network), account);
  return {
    kind: segwit ? 'p2wpkh' : 'p2pkh',
    key: (chain, index) => keyPair(root.derive(chain === 'receive' ? 0 : 1).derive(level(index))),
  };
}

/** A key pair from its private key. Throws RangeError where that is not 32 bytes in [1, n−1]. */
export function keyPairOf(privateKey: Uint8Array): KeyPair {
  const publicKey =
    privateKey.length === 32 && tiny.isPrivate(privateKey) ? tiny.pointFromScalar(privateKey, true) : null;
  if (!publicKey) throw new RangeError('not a private key');
  return { privateKey, publicKey, keyHash: hash160(publicKey) };
}

/** SLIP 44: Bitcoin 0, every test network 1, Bitcoin Cash 145. */
function coinType(network: Network): number {
  if (addressParameters(network).pubKeyHash !== 0x00) return 1;
  return hasSegwit(network) ? 0 : 145;
}

function hardened(node: BIP32Interface, ...levels: readonly number[]): BIP32Interface {
  return levels.reduce((parent, index) => parent.deriveHardened(level(index)), node);
}

function level(index: number): number {
  if (!Number.isInteger(index) || index < 0 || index > LARGEST_LEVEL) throw new RangeError('path level out of range');
  return index;
}

function keyPair(node: BIP32Interface): KeyPair {
  if (!node.privateKey) throw new Error('a private node has a private key');
  return {
    privateKey: Uint8Array.from(node.privateKey),
    publicKey: Uint8Array.from(node.publicKey),
    keyHash: hash160(node.publicKey),
  };
}
