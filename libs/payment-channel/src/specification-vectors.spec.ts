import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  MAX_SETTLEMENT_BYTES,
  MAX_SETTLEMENT_WITHOUT_SELLER_BYTES,
  bestEcdsa,
  channelAmounts,
  checkFundingOutput,
  checkParameters,
  fromHex,
  lockPush,
  netSat,
  p2pkhScript,
  prepareSettlement,
  redeemScriptOf,
  signSettlement,
  signedRefund,
  signedSettlement,
  timeLock,
  toHex,
  verifyPayment,
} from './index.js';
import type { ChannelParameters, Network } from './index.js';

/** The worked example of the payment channel specification §10, computed with toy keys and RFC 6979 nonces. */

interface SignedVector {
  readonly sighash: string;
  readonly payorSignatureDER: string;
  readonly payeeSignatureDER: string;
  readonly rawTx: string;
  readonly txidDisplay: string;
}
interface Specification {
  readonly keys: Record<string, string>;
  readonly lockEncodings: readonly { readonly counter: number; readonly scriptPush: string }[];
  readonly redeemScript: string;
  readonly funding: { readonly rawUnsigned: string; readonly txidDisplay: string };
  readonly settlements: readonly {
    readonly payments: number;
    readonly outputs: readonly { readonly value: number }[];
    readonly bitcoin_SIGHASH_ALL_01: SignedVector;
    readonly cash_ALL_FORKID_41: SignedVector;
  }[];
  readonly refund: { readonly fee: number; readonly rawTx: string; readonly size: number };
}

const specification = JSON.parse(
  readFileSync(new URL('../fixtures/specification.json', import.meta.url), 'utf8'),
) as Specification;
const ecdsa = bestEcdsa();
const key = (name: string): Uint8Array => fromHex(specification.keys[name] ?? '');

function channelOn(network: Network): ChannelParameters {
  return {
    network,
    priceSat: 7n,
    lockUnits: 10,
    settlementFeeSat: 450n,
    fundingValueSat: 7509n,
    fundingOutpoint: { txid: fromHex(specification.funding.txidDisplay), index: 0 },
    buyerPublicKey: key('payorContractPk'),
    sellerPublicKey: key('payeeContractPk'),
    buyerKeyHash: key('payorFinalPkHash'),
    sellerKeyHash: key('payeeFinalPkHash'),
  };
}

test('amounts of the worked example', () => {
  const channel = channelOn('mainnet');
  expect(checkParameters(channel, ecdsa)).toBeUndefined();
  expect(channelAmounts(channel)).toEqual({ ok: true, amounts: { kMin: 143, kPay: 1072, kCap: 994 } });
  expect([142, 143, 987].map((k) => netSat(k, 7n, 450n))).toEqual([0n, 551n, 6459n]);
});

test('redeem script, funding output and lock pushes', () => {
  const channel = channelOn('mainnet');
  expect(toHex(redeemScriptOf(channel))).toBe(specification.redeemScript);
  expect(checkFundingOutput(fromHex(specification.funding.rawUnsigned), channel)).toEqual({ ok: true });
  for (const { counter, scriptPush } of specification.lockEncodings) {
    expect(toHex(lockPush(timeLock(counter)))).toBe(scriptPush);
  }
});

describe.each(['mainnet', 'mainnet_bitcoin_cash'] as const)('settlements on %s', (network) => {
  const channel = channelOn(network);
  const template = prepareSettlement(channel);
  test.each(specification.settlements)('payment $payments', (vector) => {
    const expected = network === 'mainnet' ? vector.bitcoin_SIGHASH_ALL_01 : vector.cash_ALL_FORKID_41;
    const k = vector.payments;
    expect(toHex(template.digest(k))).toBe(expected.sighash);
    const buyerDer = signSettlement(template, k, key('payorContractSk'), ecdsa);
    const sellerDer = signSettlement(template, k, key('payeeContractSk'), ecdsa);
    expect(toHex(buyerDer)).toBe(expected.payorSignatureDER);
    expect(toHex(sellerDer)).toBe(expected.payeeSignatureDER);
    expect(verifyPayment(template, k, buyerDer, ecdsa)).toEqual({ ok: true });
    const settlement = signedSettlement(channel, k, buyerDer, sellerDer);
    expect(toHex(settlement.bytes)).toBe(expected.rawTx);
    expect(settlement.txid).toBe(expected.txidDisplay);
    const max = vector.outputs.length === 2 ? MAX_SETTLEMENT_BYTES : MAX_SETTLEMENT_WITHOUT_SELLER_BYTES;
    expect(settlement.bytes.length).toBeLessThanOrEqual(max);
    expect(settlement.bytes.length).toBeGreaterThanOrEqual(max - 2);
  });
});

test('refund', () => {
  const channel = channelOn('mainnet');
  const outputs = [{ script: p2pkhScript(channel.buyerKeyHash), valueSat: 7509n - BigInt(specification.refund.fee) }];
  const refund = signedRefund(channel, outputs, key('payorContractSk'), ecdsa);
  expect(toHex(refund.bytes)).toBe(specification.refund.rawTx);
});
