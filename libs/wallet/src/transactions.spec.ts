import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChannelParameters, Network } from '@seedfleet/payment-channel';
import {
  NETWORKS,
  bestEcdsa,
  checkFundingOutput,
  feeSat,
  fromHex,
  fundingScript,
  inputDigest,
  p2pkhScript,
  parseDerSignature,
  signingRule,
} from '@seedfleet/payment-channel';
import type { Coin, CoinKind } from './index.js';
import {
  buildChild,
  buildFunding,
  buildRefund,
  buildSweep,
  channelKeychain,
  chooseCoins,
  dustSat,
  outputScript,
  p2wpkhScript,
  transactionVbytes,
  walletAccount,
} from './index.js';

const ecdsa = bestEcdsa();
const seed = new Uint8Array(32).fill(7);
const anyKey = walletAccount(seed, 'regtest').key('receive', 0);

function coin(kind: CoinKind, valueSat: bigint, id = 1): Coin {
  return { outpoint: { txid: new Uint8Array(32).fill(id), index: id }, valueSat, kind, key: anyKey };
}

/** Whether every input carries a valid signature by its coin's key, over the digest that its kind demands. */
function isSigned(transaction: Transaction, coins: readonly Coin[], network: Network): boolean {
  return coins.every((spent, i) => {
    const { script: scriptSig, witness } = transaction.ins[i]!;
    const code = p2pkhScript(spent.key.keyHash);
    if (spent.kind === 'p2pkh') {
      const der = parseDerSignature(scriptSig.slice(1, scriptSig[0]!));
      const digest = inputDigest(transaction, i, code, spent.valueSat, signingRule(network));
      return der.ok && ecdsa.verify(digest, der.compact, spent.key.publicKey);
    }
    const der = parseDerSignature(witness[0]!.slice(0, -1));
    const digest = transaction.hashForWitnessV0(i, code, spent.valueSat, Transaction.SIGHASH_ALL);
    return der.ok && ecdsa.verify(digest, der.compact, spent.key.publicKey) && scriptSig.length === 0;
  });
}

function channelOn(network: Network, index: number): ChannelParameters {
  const keychain = channelKeychain(seed, network);
  const [buyer, seller] = [keychain.at({ epoch: 0, index }), keychain.at({ epoch: 1, index })];
  return {
    network,
    priceSat: 7n,
    lockUnits: 20,
    settlementFeeSat: 450n,
    fundingValueSat: 7509n + BigInt(index),
    fundingOutpoint: { txid: new Uint8Array(32), index },
    buyerPublicKey: buyer.contract.publicKey,
    sellerPublicKey: seller.contract.publicKey,
    buyerKeyHash: buyer.payout.keyHash,
    sellerKeyHash: seller.payout.keyHash,
  };
}

describe('coin choice', () => {
  const change = p2wpkhScript(new Uint8Array(20));
  const payments = [{ script: p2pkhScript(new Uint8Array(20)), valueSat: 10_000n }];
  const coins = [5_000n, 8_000n, 30_000n, 100_000n].map((value, i) => coin('p2wpkh', value, i + 1));

  test('takes the smallest coin that is enough', () => {
    const result = chooseCoins(coins, payments, change, 1000n);
    expect(result.ok && result.choice.coins.map(({ valueSat }) => valueSat)).toEqual([30_000n]);
    // 11 + 68 of input + 34 + 31 of outputs, in whole virtual bytes.
    expect(result.ok && result.choice).toMatchObject({ feeSat: 144n, changeSat: 19_856n });
  });

  test('takes the largest coins where none is enough alone', () => {
    const result = chooseCoins(coins.slice(0, 2), payments, change, 1000n);
    expect(result.ok && result.choice.coins.map(({ valueSat }) => valueSat)).toEqual([8_000n, 5_000n]);
  });

  test('change that would be dust goes to the fee', () => {
    const result = chooseCoins([coin('p2wpkh', 10_300n)], payments, change, 1000n);
    expect(result.ok && result.choice).toMatchObject({ feeSat: 300n });
    expect(result.ok && 'changeSat' in result.choice).toBe(false);
  });

  test('says what is missing', () => {
    expect(chooseCoins([], payments, change, 1000n)).toMatchObject({ error: { code: 'not-enough-coins' } });
    const result = chooseCoins([coin('p2wpkh', 10_000n)], payments, change, 1000n);
    expect(result).toEqual({ ok: false, error: { code: 'not-enough-coins', missingSat: 113n } });
    const dusty = chooseCoins(coins, [{ ...payments[0]!, valueSat: 545n }], change, 1000n);
    expect(dusty).toEqual({ ok: false, error: { code: 'output-is-dust', index: 0, dustSat: 546n } });
    const crumbs = Array.from({ length: 700 }, (_, i) => coin('p2pkh', 200n, i % 256));
    expect(chooseCoins(crumbs, payments, change, 1300n)).toMatchObject({ error: { code: 'too-many-coins' } });
  });

  test('never spends more than it has, always pays the rate, and does not depend on the order of the coins', () => {
    const kinds = fc.constantFrom<CoinKind>('p2wpkh', 'p2pkh');
    const anyCoin = fc.tuple(kinds, fc.bigInt({ min: 1n, max: 60_000n }));
    fc.assert(
      fc.property(fc.array(anyCoin, { maxLength: 12 }), fc.bigInt({ min: 0n, max: 20_000n }), (values, rate) => {
        const available = values.map(([kind, value], i) => coin(kind, value, i + 1));
        const result = chooseCoins(available, payments, change, rate);
        expect(chooseCoins([...available].reverse(), payments, change, rate)).toEqual(result);
        if (!result.ok) return;
        const { coins: chosen, changeSat = 0n, feeSat: fee } = result.choice;
        const inputs = chosen.reduce((sum, { valueSat }) => sum + valueSat, 0n);
        expect(inputs).toBe(10_000n + changeSat + fee);
        const scripts = changeSat > 0n ? [payments[0]!.script, change] : [payments[0]!.script];
        const vbytes = transactionVbytes(
          chosen.map(({ kind }) => kind),
          scripts,
        );
        expect(fee).toBeGreaterThanOrEqual(feeSat(vbytes, rate));
        if (changeSat > 0n) expect(changeSat).toBeGreaterThanOrEqual(294n);
      }),
    );
  });
});

test('dust limits are those of Bitcoin Core', () => {
  const hash = new Uint8Array(20);
  const p2sh = Uint8Array.of(0xa9, 0x14, ...hash, 0x87);
  expect([p2pkhScript(hash), p2wpkhScript(hash), p2sh, fromHex('6a026a73')].map(dustSat)).toEqual([
    546n,
    294n,
    540n,
    0n,
  ]);
});

describe.each(NETWORKS)('transactions on %s', (network) => {
  const kinds: CoinKind[] = network.endsWith('cash') ? ['p2pkh'] : ['p2wpkh', 'p2pkh'];
  const changeScript = outputScript(kinds[0]!, anyKey.keyHash);

  test('funding for three sellers passes each seller’s own check', () => {
    const channels = [0, 1, 2].map((index) => channelOn(network, index));
    const request = {
      network,
      coins: kinds.flatMap((kind, i) => [coin(kind, 14_000n, 2 * i + 1), coin(kind, 15_000n, 2 * i + 2)]),
      commitments: channels.map((channel) => ({ script: fundingScript(channel), valueSat: channel.fundingValueSat })),
      ratePerKbSat: 1024n,
      changeScript,
    };
    const funding = buildFunding(request, ecdsa);
    if (!funding.ok) throw new Error(funding.error.code);
    const { transaction: built, choice } = funding;
    const transaction = Transaction.fromBuffer(built.bytes);
    expect(isSigned(transaction, choice.coins, network)).toBe(true);
    for (const channel of channels) {
      const fundingOutpoint = { txid: fromHex(built.txid), index: channel.fundingOutpoint.index };
      expect(checkFundingOutput(built.bytes, { ...channel, fundingOutpoint })).toEqual({ ok: true });
    }
    expect(choice.feeSat * 1000n).toBeGreaterThanOrEqual(1024n * BigInt(transaction.virtualSize()));
    // Reckoned sizes are at most a byte or two per input above the signed ones.
    const reckoned = transactionVbytes(
      choice.coins.map(({ kind }) => kind),
      transaction.outs.map(({ script }) => script),
    );
    expect(reckoned - transaction.virtualSize()).toBeGreaterThanOrEqual(0);
    expect(reckoned - transaction.virtualSize()).toBeLessThanOrEqual(2 * choice.coins.length);
  });

  test('sweep, child and refund', () => {
    const payouts = [6459n, 551n].map((value, i) => coin('p2pkh', value, i + 1));
    const sweep = buildSweep(network, payouts, changeScript, 2000n, ecdsa);
    if (!sweep.ok) throw new Error(sweep.error.code);
    const swept = Transaction.fromBuffer(sweep.transaction.bytes);
    expect(isSigned(swept, payouts, network)).toBe(true);
    expect(swept.outs.map(({ value }) => value)).toEqual([6459n + 551n - sweep.feeSat]);
    expect(swept.ins.every(({ sequence }) => sequence < 0xffff_fffe)).toBe(true);

    const parent = { output: payouts[0]!, vbytes: 347, feeSat: 450n };
    const child = buildChild(network, parent, [], changeScript, 4000n, 3000n, ecdsa);
    if (!child.ok) throw new Error(child.error.code);
    const paying = Transaction.fromBuffer(child.transaction.bytes);
    expect(isSigned(paying, [payouts[0]!], network)).toBe(true);
    const together = BigInt(347 + paying.virtualSize());
    expect((450n + child.feeSat) * 1000n).toBeGreaterThanOrEqual(4000n * together);
    const capped = buildChild(network, parent, [], changeScript, 40_000n, 3000n, ecdsa);
    expect(capped.ok && capped.feeSat).toBe(3000n);
    expect(buildChild(network, parent, [], changeScript, 4000n, 100n, ecdsa)).toMatchObject({
      error: { code: 'over-budget' },
    });

    const channel = channelOn(network, 5);
    const { contract } = channelKeychain(seed, network).at({ epoch: 0, index: 5 });
    const refund = buildRefund(channel, contract.privateKey, changeScript, 1000n, ecdsa);
    if (!refund.ok) throw new Error(refund.error.code);
    const refunding = Transaction.fromBuffer(refund.transaction.bytes);
    expect(refunding.version).toBe(2);
    expect(refunding.ins[0]!.sequence).toBe(0x0040_0000 | 20);
    expect(refund.feeSat * 1000n).toBeGreaterThanOrEqual(1000n * BigInt(refunding.byteLength()));
    expect(refunding.outs[0]!.value + refund.feeSat).toBe(channel.fundingValueSat);
  });
});

describe('what cannot be spent', () => {
  const script = p2wpkhScript(new Uint8Array(20));
  test.each([
    [[], 1000n, 'no-coins'],
    [[coin('p2pkh', 400n)], 1000n, 'output-is-dust'],
    [Array.from({ length: 601 }, () => coin('p2pkh', 1000n)), 1n, 'too-many-coins'],
  ])('sweep %#', (coins, rate, code) => {
    expect(buildSweep('regtest', coins, script, rate, ecdsa)).toMatchObject({ ok: false, error: { code } });
  });

  test('a refund that would be dust', () => {
    const channel = { ...channelOn('regtest', 1), fundingValueSat: 500n };
    expect(buildRefund(channel, anyKey.privateKey, script, 1000n, ecdsa)).toMatchObject({
      error: { code: 'output-is-dust' },
    });
  });

  test('a witness coin on a chain without witness is a programming error', () => {
    const coins = [coin('p2wpkh', 10_000n)];
    expect(() => buildSweep('mainnet_bitcoin_cash', coins, script, 1000n, ecdsa)).toThrow(RangeError);
  });
});
