import { BIP32Factory } from 'bip32';
import type { BIP32Interface } from 'bip32';
import bs58check from 'bs58check';
import * as tiny from 'tiny-secp256k1';
import { addressParameters, hash160, hasSegwit, toHex, type Network } from '@seedfleet/payment-channel';
import { descriptorChecksum } from './descriptor-checksum.js';
import { outputScript, walletAddress, type CoinKind } from './outputs.js';

/** Why a text names no wallet that can be paid to. */
export type ColdWalletError =
  /** Neither an extended public key nor a descriptor of one. */
  | 'not-understood'
  /** An extended private key: it must never be where only addresses are needed. */
  | 'private-key'
  /** A key of another network. */
  | 'wrong-network'
  /** Not the key of an account (depth 3), as `m/84'/0'/0'` is, or not as deep as the descriptor says. */
  | 'wrong-depth'
  /** Outputs that this chain has not, or a kind of output that is not paid to. */
  | 'wrong-kind'
  /** The descriptor's checksum is another: a mistake in writing. */
  | 'wrong-checksum';

/** A wallet of which only the public part is known, with a fresh address for each payment. */
export interface ColdWallet {
  /** Tells it from every other, and no address can be made of it: the kind of its outputs and 20 bytes, hexadecimal. */
  readonly id: string;
  /** For people: `wpkh([1a2b3c4d]/0/*)`, where the eight digits are the fingerprint of the account's key (BIP 32). */
  readonly label: string;
  /** Throws RangeError where the index is not in 0…`LAST_COLD_INDEX`. */
  address(index: number): string;
  /** As `address`. */
  script(index: number): Uint8Array;
}

export type ColdWalletResult =
  { readonly ok: true; readonly wallet: ColdWallet } | { readonly ok: false; readonly code: ColdWalletError };

/** More than a sweep an hour for a century. Whoever could name any number would hide coins from the wallet's own search. */
export const LAST_COLD_INDEX = 999_999;

const bip32 = BIP32Factory(tiny);

/** m / purpose' / coin' / account' (BIP 44, 84). */
const ACCOUNT_DEPTH = 3;

interface Version {
  readonly isTest: boolean;
  readonly isPrivate: boolean;
  /** What a bare key is for; null: kinds of outputs that are not paid to. */
  readonly kind: CoinKind | null;
}

const version = (isTest: boolean, isPrivate: boolean, kind: CoinKind | null): Version => ({ isTest, isPrivate, kind });
/** First four bytes of an extended key, by SLIP 132. */
const VERSIONS: Readonly<Record<string, Version>> = {
  '0488b21e': version(false, false, 'p2pkh'),
  '043587cf': version(true, false, 'p2pkh'),
  '04b24746': version(false, false, 'p2wpkh'),
  '045f1cf6': version(true, false, 'p2wpkh'),
  '049d7cb2': version(false, false, null),
  '044a5262': version(true, false, null),
  '0295b43f': version(false, false, null),
  '02aa7ed3': version(false, false, null),
  '0488ade4': version(false, true, 'p2pkh'),
  '04358394': version(true, true, 'p2pkh'),
  '04b2430c': version(false, true, 'p2wpkh'),
  '045f18bc': version(true, true, 'p2wpkh'),
  '049d7878': version(false, true, null),
  '044a4e28': version(true, true, null),
};

const PLAIN: Readonly<Record<'main' | 'test', string>> = { main: '0488b21e', test: '043587cf' };

/**
 * Reads the key of an account: an extended public key (`xpub…`, `tpub…`: P2PKH; `zpub…`, `vpub…`: P2WPKH), or a descriptor of its
 * external addresses, `pkh(KEY/0/*)` or `wpkh(KEY/0/*)`, with or without origin and checksum (BIP 32, 380, 381, 382; of BIP 389's
 * `<0;1>` the first is meant).
 */
export function readColdWallet(text: string, network: Network): ColdWalletResult {
  const fail = (code: ColdWalletError): ColdWalletResult => ({ ok: false, code });
  const [body = '', checksum, ...more] = text.trim().split('#');
  if (more.length > 0) return fail('not-understood');
  const descriptor = /^(w?pkh)\((?:\[([0-9a-f]{8})((?:\/\d+['h])*)\])?([1-9A-HJ-NP-Za-km-z]+)\/(?:0|<0;1>)\/\*\)$/.exec(
    body,
  );
  if (checksum !== undefined && (descriptor === null || descriptorChecksum(body) !== checksum)) {
    return fail('wrong-checksum');
  }
  const key = readKey(descriptor?.[4] ?? body);
  if (key === undefined) return fail('not-understood');
  if (key.version.isPrivate) return fail('private-key');
  const isTest = addressParameters(network).pubKeyHash !== 0x00;
  if (key.version.isTest !== isTest) return fail('wrong-network');
  const kind = descriptor === null ? key.version.kind : descriptor[1] === 'pkh' ? 'p2pkh' : 'p2wpkh';
  // In a descriptor the function says what the key is for, and the key must not say something else.
  const isAtOdds = descriptor !== null && key.version.kind !== 'p2pkh' && key.version.kind !== kind;
  if (kind === null || isAtOdds || (kind === 'p2wpkh' && !hasSegwit(network))) return fail('wrong-kind');
  const account = accountOf(key.bytes, network);
  if (account === undefined) return fail('not-understood');
  const origin = descriptor?.[2] === undefined ? undefined : (descriptor[3] ?? '').split('/').length - 1;
  if (account.depth !== ACCOUNT_DEPTH || (origin !== undefined && origin !== ACCOUNT_DEPTH)) return fail('wrong-depth');
  return { ok: true, wallet: walletOf(account, kind, network) };
}

function readKey(text: string): { readonly bytes: Uint8Array; readonly version: Version } | undefined {
  try {
    const bytes = bs58check.decode(text);
    const found = VERSIONS[toHex(bytes.subarray(0, 4))];
    return found === undefined || bytes.length !== 78 ? undefined : { bytes, version: found };
  } catch {
    // The decoder throws for every text whose checksum is not its own.
    return undefined;
  }
}

/** The key, with the version bytes that say nothing of outputs. Undefined where it is no point of the curve. */
function accountOf(bytes: Uint8Array, network: Network): BIP32Interface | undefined {
  const parameters = addressParameters(network);
  const plain = Uint8Array.from(bytes);
  plain.set(Buffer.from(parameters.pubKeyHash === 0x00 ? PLAIN.main : PLAIN.test, 'hex'), 0);
  try {
    return bip32.fromBase58(bs58check.encode(plain), parameters);
  } catch {
    return undefined;
  }
}

function walletOf(account: BIP32Interface, kind: CoinKind, network: Network): ColdWallet {
  const external = account.derive(0);
  const keyHash = (index: number): Uint8Array => {
    if (!Number.isInteger(index) || index < 0 || index > LAST_COLD_INDEX) throw new RangeError('index out of range');
    return hash160(Uint8Array.from(external.derive(index).publicKey));
  };
  const name = kind === 'p2pkh' ? 'pkh' : 'wpkh';
  return {
    // Of key and chain code: two accounts may share neither.
    id: `${name}:${toHex(hash160(Uint8Array.from([...external.publicKey, ...external.chainCode])))}`,
    label: `${name}([${toHex(Uint8Array.from(account.fingerprint))}]/0/*)`,
    address: (index) => walletAddress(kind, keyHash(index), network),
    script: (index) => outputScript(kind, keyHash(index)),
  };
}
