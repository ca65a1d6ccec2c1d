import { describe, expect, test } from 'vitest';
import { NETWORKS, bestEcdsa, toHex } from '@seedfleet/payment-channel';
import {
  channelKeychain,
  entropyOf,
  isMnemonic,
  keyPairOf,
  mnemonicOf,
  scriptOfAddress,
  seedOf,
  walletAccount,
  walletAddress,
} from './index.js';

const ABANDON = 'abandon '.repeat(11) + 'about';
const seed = seedOf(ABANDON);

describe('mnemonic', () => {
  test('first vector of BIP 39', () => {
    expect(mnemonicOf(new Uint8Array(16))).toBe(ABANDON);
    expect(toHex(entropyOf(ABANDON))).toBe('00'.repeat(16));
    expect(toHex(seedOf(ABANDON, 'TREZOR'))).toMatch(/^c55257c360c07c72029aebc1b53c05ed/);
  });

  test('words with a wrong checksum are told from a mnemonic', () => {
    expect(isMnemonic(ABANDON)).toBe(true);
    expect(isMnemonic('abandon '.repeat(11) + 'abandon')).toBe(false);
  });
});

describe('wallet addresses', () => {
  test('vectors of BIP 84', () => {
    const account = walletAccount(seed, 'mainnet');
    const address = (chain: 'receive' | 'change', index: number) =>
      walletAddress(account.kind, account.key(chain, index).keyHash, 'mainnet');
    expect(account.kind).toBe('p2wpkh');
    expect(address('receive', 0)).toBe('bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu');
    expect(address('receive', 1)).toBe('bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g');
    expect(address('change', 0)).toBe('bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el');
  });

  test.each(NETWORKS)('addresses of %s are read back, and those of others are not', (network) => {
    const account = walletAccount(seed, network);
    const { keyHash } = account.key('receive', 0);
    const script = scriptOfAddress(walletAddress(account.kind, keyHash, network), network);
    expect(script && toHex(script)).toContain(toHex(keyHash));
    expect(account.kind).toBe(network.endsWith('cash') ? 'p2pkh' : 'p2wpkh');
    const foreign = network.startsWith('mainnet') ? 'regtest' : 'mainnet';
    const other = walletAccount(seed, foreign);
    const address = walletAddress(other.kind, other.key('receive', 0).keyHash, foreign);
    expect(scriptOfAddress(address, network)).toBeUndefined();
    expect(scriptOfAddress('nonsense', network)).toBeUndefined();
  });

  test('a witness address is none of Bitcoin Cash', () => {
    expect(scriptOfAddress('bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu', 'mainnet_bitcoin_cash')).toBeUndefined();
    expect(() => walletAddress('p2wpkh', new Uint8Array(20), 'mainnet_bitcoin_cash')).toThrow(RangeError);
  });
});

describe('channel keys', () => {
  test('each path, role, network, account and seed has its own key, and the same one every time', () => {
    const seen = new Set<string>();
    const other = seedOf(ABANDON, 'other');
    for (const [source, network, account] of [
      [seed, 'mainnet', 0],
      [seed, 'regtest', 0],
      [seed, 'mainnet_bitcoin_cash', 0],
      [seed, 'mainnet', 1],
      [other, 'mainnet', 0],
    ] as const) {
      const [keychain, again] = [channelKeychain(source, network, account), channelKeychain(source, network, account)];
      for (const path of [
        { epoch: 0, index: 0 },
        { epoch: 0, index: 1 },
        { epoch: 1, index: 0 },
      ]) {
        const keys = keychain.at(path);
        expect(again.at(path)).toEqual(keys);
        seen.add(toHex(keys.contract.publicKey)).add(toHex(keys.payout.publicKey));
      }
    }
    expect(seen.size).toBe(5 * 3 * 2);
  });

  test('stay what they are: money lies on them', () => {
    const { contract, payout } = channelKeychain(seed, 'regtest').at({ epoch: 3, index: 7 });
    expect(toHex(contract.publicKey)).toBe('03506827c4c029dcf0b64864998bf973dab2762706b940449ba7de8da95d503bd2');
    expect(toHex(payout.keyHash)).toBe('f339ff3d6e1faa0d33bbf7bbe1757c2ad447ef56');
  });

  test('public keys belong to their private keys, under the other back end too', () => {
    const { contract, payout } = channelKeychain(seed, 'regtest').at({ epoch: 0, index: 0 });
    for (const { privateKey, publicKey } of [contract, payout]) {
      expect(toHex(bestEcdsa().publicKeyFor(privateKey)!)).toBe(toHex(publicKey));
      expect(keyPairOf(privateKey).publicKey).toEqual(publicKey);
    }
  });

  test('paths out of range are programming errors', () => {
    const keychain = channelKeychain(seed, 'regtest');
    for (const path of [
      { epoch: -1, index: 0 },
      { epoch: 0, index: 2 ** 31 },
      { epoch: 0.5, index: 0 },
    ]) {
      expect(() => keychain.at(path)).toThrow(RangeError);
    }
    expect(() => keyPairOf(new Uint8Array(32))).toThrow(RangeError);
  });
});
