import {
  createVirtualMachineBCH2023,
  decodeCashAddress as decodeByLibauth,
  decodeTransactionUnsafe,
  encodeCashAddress as encodeByLibauth,
  lockingBytecodeToCashAddress,
} from '@bitauth/libauth';
import { address as addresses } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bestEcdsa,
  fundingScript,
  NETWORKS,
  toHex,
  type ChannelParameters,
  type Network,
} from '@seedfleet/payment-channel';
import {
  buildFunding,
  buildRefund,
  buildSweep,
  channelKeychain,
  outputScript,
  scriptOfAddress,
  walletAccount,
  walletAddress,
  type Coin,
} from './index.js';

/*
 * Judged by libauth, which shares no code with this wallet: its address codec, and its interpreter of Bitcoin Cash with the
 * rules of standard transactions.
 */

const CASH = [
  ['mainnet_bitcoin_cash', 'bitcoincash'],
  ['testnet_bitcoin_cash', 'bchtest'],
  ['regtest_bitcoin_cash', 'bchreg'],
] as const;
const cashNetwork = fc.constantFrom(...CASH);
const hash = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const seed = new Uint8Array(32).fill(9);
const ecdsa = bestEcdsa();
const vm = createVirtualMachineBCH2023(true);

describe('addresses of Bitcoin Cash', () => {
  it('are what libauth writes, and come back with their prefix, without it, and in capitals', () => {
    fc.assert(
      fc.property(cashNetwork, hash(20), ([network, prefix], keyHash) => {
        const text = walletAddress('p2pkh', keyHash, network);
        expect(text).toBe(encodeByLibauth({ payload: keyHash, prefix, type: 'p2pkh' }).address);
        const script = outputScript('p2pkh', keyHash);
        for (const form of [text, text.slice(prefix.length + 1), text.toUpperCase()]) {
          expect(scriptOfAddress(form, network)).toEqual(script);
        }
        expect(lockingBytecodeToCashAddress({ bytecode: script, prefix })).toMatchObject({ address: text });
      }),
    );
  });

  it('of scripts and of who takes tokens are paid to the same script as libauth says', () => {
    const type = fc.constantFrom('p2sh', 'p2shWithTokens', 'p2pkhWithTokens');
    fc.assert(
      fc.property(cashNetwork, type, hash(20), hash(32), ([network, prefix], kind, short, long) => {
        for (const payload of kind === 'p2pkhWithTokens' ? [short] : [short, long]) {
          const { address } = encodeByLibauth({ payload, prefix, type: kind });
          const script = scriptOfAddress(address, network);
          expect(script && toHex(script)).toContain(toHex(payload));
          const plain = kind === 'p2pkhWithTokens' ? 'p2pkh' : 'p2sh';
          const expected = encodeByLibauth({ payload, prefix, type: plain }).address;
          expect(lockingBytecodeToCashAddress({ bytecode: script!, prefix })).toMatchObject({ address: expected });
        }
      }),
    );
  });

  it('are none with any character changed, of another network, or in mixed case', () => {
    const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
    fc.assert(
      fc.property(
        cashNetwork,
        hash(20),
        fc.nat(41),
        fc.integer({ min: 1, max: 31 }),
        ([network, prefix], keyHash, at, by) => {
          const text = walletAddress('p2pkh', keyHash, network);
          const place = prefix.length + 1 + at;
          const other = ALPHABET[(ALPHABET.indexOf(text[place] ?? '') + by) % 32] ?? '';
          const changed = text.slice(0, place) + other + text.slice(place + 1);
          expect(scriptOfAddress(changed, network)).toBeUndefined();
          expect(typeof decodeByLibauth(changed)).toBe('string');
          for (const foreign of NETWORKS)
            if (foreign !== network) expect(scriptOfAddress(text, foreign)).toBeUndefined();
          expect(scriptOfAddress(`${text.slice(0, -1)}${text.slice(-1).toUpperCase()}`, network)).toEqual(
            /\d/.test(text.slice(-1)) ? outputScript('p2pkh', keyHash) : undefined,
          );
        },
      ),
    );
  });

  it('never throw, whatever the text, and the older form is taken', () => {
    fc.assert(fc.property(fc.string(), cashNetwork, (text, [network]) => void scriptOfAddress(text, network)));
    const legacy = addresses.toBase58Check(new Uint8Array(20).fill(3), 0);
    expect(scriptOfAddress(legacy, 'mainnet_bitcoin_cash')).toEqual(outputScript('p2pkh', new Uint8Array(20).fill(3)));
  });
});

describe.each(CASH)('coins on %s', (network) => {
  const account = walletAccount(seed, network);
  const coins = [30_000n, 45_000n, 800n].map((valueSat, index): Coin => {
    const outpoint = { txid: new Uint8Array(32).fill(index + 1), index };
    return { outpoint, valueSat, kind: account.kind, key: account.key('receive', index) };
  });
  const scriptOf = ({ kind, key }: Coin): Uint8Array => outputScript(kind, key.keyHash);

  function verdict(raw: Uint8Array, spent: readonly { script: Uint8Array; valueSat: bigint }[]): string | true {
    return vm.verify({
      sourceOutputs: spent.map(({ script, valueSat }) => ({
        lockingBytecode: Uint8Array.from(script),
        valueSatoshis: valueSat,
      })),
      transaction: decodeTransactionUnsafe(Uint8Array.from(raw)),
    });
  }

  it('are deposited, and the deposit comes back by a refund', () => {
    const [buyer, seller] = [0, 1].map((epoch) => channelKeychain(seed, network).at({ epoch, index: 4 }));
    const terms = {
      network: network as Network,
      priceSat: 7n,
      lockUnits: 20,
      settlementFeeSat: 450n,
      fundingValueSat: 60_000n,
      buyerPublicKey: buyer!.contract.publicKey,
      sellerPublicKey: seller!.contract.publicKey,
      buyerKeyHash: buyer!.payout.keyHash,
      sellerKeyHash: seller!.payout.keyHash,
    };
    const parameters = (txid: Uint8Array): ChannelParameters => ({ ...terms, fundingOutpoint: { txid, index: 0 } });
    const commitment = { script: fundingScript(parameters(new Uint8Array(32))), valueSat: terms.fundingValueSat };
    const changeScript = outputScript('p2pkh', account.key('change', 0).keyHash);
    const request = { network, coins, commitments: [commitment], ratePerKbSat: 1_000n, changeScript };
    const funding = buildFunding(request, ecdsa);
    if (!funding.ok) throw new Error(funding.error.code);
    const spent = funding.choice.coins.map((coin) => ({ script: scriptOf(coin), valueSat: coin.valueSat }));
    expect(verdict(funding.transaction.bytes, spent)).toBe(true);
    // The digest covers the value: a wallet that is lied to about it signs nothing that is worth anything.
    expect(
      verdict(
        funding.transaction.bytes,
        spent.map((one) => ({ ...one, valueSat: one.valueSat + 1n })),
      ),
    ).not.toBe(true);

    const txid = Uint8Array.from(Buffer.from(funding.transaction.txid, 'hex'));
    const refund = buildRefund(parameters(txid), buyer!.contract.privateKey, changeScript, 1_000n, ecdsa);
    if (!refund.ok) throw new Error(refund.error.code);
    expect(verdict(refund.transaction.bytes, [commitment])).toBe(true);
  });

  it('are sent, all of them, with a signature that Bitcoin would not take', () => {
    const sweep = (on: Network): Uint8Array => {
      const built = buildSweep(on, coins, outputScript('p2pkh', new Uint8Array(20).fill(5)), 1_000n, ecdsa);
      if (!built.ok) throw new Error(built.error.code);
      return built.transaction.bytes;
    };
    const spent = coins.map((coin) => ({ script: scriptOf(coin), valueSat: coin.valueSat }));
    expect(verdict(sweep(network), spent)).toBe(true);
    expect(verdict(sweep('regtest'), spent)).not.toBe(true);
  });
});
