import {
  decodeHdPublicKey,
  deriveHdPathRelative,
  hash160,
  lockingBytecodeToCashAddress,
  encodeLockingBytecodeP2pkh,
} from '@bitauth/libauth';
import { BIP32Factory } from 'bip32';
import bs58check from 'bs58check';
import fc from 'fast-check';
import * as tiny from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { networks } from 'bitcoinjs-lib';
import { toHex } from '@seedfleet/payment-channel';
import { descriptorChecksum } from './descriptor-checksum.js';
import { LAST_COLD_INDEX, readColdWallet, scriptOfAddress, type ColdWallet, type ColdWalletResult } from './index.js';

const bip32 = BIP32Factory(tiny);
const account = (seed: Uint8Array, path = "m/44'/0'/0'", network = networks.bitcoin) =>
  bip32.fromSeed(seed, network).derivePath(path).neutered().toBase58();
const SEED = new Uint8Array(32).fill(7);
const XPUB = account(SEED);
const TPUB = account(SEED, "m/84'/1'/0'", networks.testnet);
const walletOf = (result: ColdWalletResult): ColdWallet => {
  if (!result.ok) throw new Error(result.code);
  return result.wallet;
};
const codeOf = (result: ColdWalletResult): string => (result.ok ? 'ok' : result.code);
const withVersion = (text: string, version: string): string => {
  const bytes = Uint8Array.from(bs58check.decode(text));
  bytes.set(Buffer.from(version, 'hex'));
  return bs58check.encode(bytes);
};

describe('a cold wallet', () => {
  it('has the addresses of the test vectors of BIP 84', () => {
    const zpub =
      'zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs';
    const wallet = walletOf(readColdWallet(zpub, 'mainnet'));
    expect([wallet.address(0), wallet.address(1)]).toEqual([
      'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu',
      'bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g',
    ]);
    const xpub = withVersion(zpub, '0488b21e');
    const told = walletOf(readColdWallet(`wpkh([73c5da0a/84'/0'/0']${xpub}/0/*)`, 'mainnet'));
    expect(told.address(0)).toBe(wallet.address(0));
    expect(told.id).toBe(wallet.id);
    expect(told.label).toMatch(/^wpkh\(\[[0-9a-f]{8}\]\/0\/\*\)$/);
  });

  it('has the keys that an independent implementation derives, each index one of its own', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        fc.integer({ min: 0, max: LAST_COLD_INDEX }),
        (seed, index) => {
          const text = account(seed);
          const wallet = walletOf(readColdWallet(text, 'mainnet_bitcoin_cash'));
          const decoded = decodeHdPublicKey(text);
          if (typeof decoded === 'string') throw new Error(decoded);
          const node = deriveHdPathRelative(decoded.node, `0/${index}`);
          if (typeof node === 'string') throw new Error(node);
          const bytecode = encodeLockingBytecodeP2pkh(hash160(node.publicKey));
          const made = lockingBytecodeToCashAddress({ prefix: 'bitcoincash', bytecode });
          expect(wallet.address(index)).toBe(typeof made === 'string' ? made : made.address);
          expect(wallet.script(index)).toEqual(scriptOfAddress(wallet.address(index), 'mainnet_bitcoin_cash'));
          expect(wallet.address(index)).not.toBe(wallet.address((index + 1) % LAST_COLD_INDEX));
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ['a private key', bip32.fromSeed(SEED).derivePath("m/44'/0'/0'").toBase58(), 'private-key'],
    [
      'a private key in a descriptor',
      `pkh(${bip32.fromSeed(SEED).derivePath("m/44'/0'/0'").toBase58()}/0/*)`,
      'private-key',
    ],
    ['a private key of another form', withVersion(XPUB, '04b2430c'), 'private-key'],
    ['a key of a test network', TPUB, 'wrong-network'],
    ['a key above the account', account(SEED, "m/44'"), 'wrong-depth'],
    ['a key below the account', account(SEED, "m/44'/0'/0'/0"), 'wrong-depth'],
    ['an origin that is not as deep', `pkh([01020304/44']${XPUB}/0/*)`, 'wrong-depth'],
    ['a key for wrapped outputs', withVersion(XPUB, '049d7cb2'), 'wrong-kind'],
    ['a key at odds with its descriptor', `pkh(${withVersion(XPUB, '04b24746')}/0/*)`, 'wrong-kind'],
    ['a changed character', XPUB.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')), 'not-understood'],
    ['addresses for change', `wpkh(${XPUB}/1/*)`, 'not-understood'],
    ['hardened addresses', `wpkh(${XPUB}/0/*h)`, 'not-understood'],
    ['another kind of descriptor', `sh(wpkh(${XPUB}/0/*))`, 'not-understood'],
    ['a wrong checksum', `wpkh(${XPUB}/0/*)#qqqqqqqq`, 'wrong-checksum'],
    ['an address', '1BoatSLRHtKNngkdXEeobR76b53LETtpyT', 'not-understood'],
    ['nothing', '', 'not-understood'],
  ])('is none where it is given %s', (_what, text, code) => {
    expect(codeOf(readColdWallet(text, 'mainnet'))).toBe(code);
  });

  it('pays to no witness where the chain has none', () => {
    expect(codeOf(readColdWallet(`wpkh(${XPUB}/0/*)`, 'mainnet_bitcoin_cash'))).toBe('wrong-kind');
    expect(walletOf(readColdWallet(TPUB, 'regtest_bitcoin_cash')).address(0)).toMatch(/^bchreg:q/);
    expect(walletOf(readColdWallet(`wpkh(${TPUB}/<0;1>/*)`, 'regtest')).address(3)).toMatch(/^bcrt1q/);
    expect(() => walletOf(readColdWallet(XPUB, 'mainnet')).address(LAST_COLD_INDEX + 1)).toThrow(RangeError);
  });

  it('is taken with a checksum, of which every changed character is found', () => {
    const body = `wpkh(${XPUB}/0/*)`;
    const sum = descriptorChecksum(body) ?? '';
    expect(codeOf(readColdWallet(`${body}#${sum}`, 'mainnet'))).toBe('ok');
    fc.assert(
      fc.property(fc.nat({ max: 7 }), fc.constantFrom(...'qpzry9x8'), (place, other) => {
        fc.pre(sum[place] !== other);
        const changed = sum.slice(0, place) + other + sum.slice(place + 1);
        expect(codeOf(readColdWallet(`${body}#${changed}`, 'mainnet'))).toBe('wrong-checksum');
      }),
    );
    // A vector of BIP 380.
    expect(descriptorChecksum('raw(deadbeef)')).toBe('89f8spxm');
    expect(toHex(walletOf(readColdWallet(XPUB, 'mainnet')).script(0))).toMatch(/^76a914[0-9a-f]{40}88ac$/);
  });
});
