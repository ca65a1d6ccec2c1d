import { readFileSync } from 'node:fs';
import { Transaction } from 'bitcoinjs-lib';
import { expect, test } from 'vitest';
import {
  NETWORKS,
  addressParameters,
  bestEcdsa,
  contractSizeBytes,
  encodeRedeemScript,
  fromHex,
  hash160,
  inputDigest,
  isCollectable,
  isNetwork,
  lockPush,
  lockSequence,
  p2pkhChange,
  p2pkhScript,
  p2pkhScriptSig,
  p2shAddress,
  p2shScript,
  parseDerSignature,
  parseRedeemScript,
  prepareSettlement,
  raw,
  refundDigest,
  refundMaturityMtp,
  refundScriptSig,
  settlementDigest,
  settlementMiningFeeSat,
  sighashByte,
  signSettlement,
  signedRefund,
  signedSettlement,
  signingRule,
  toHex,
  unsignedContract,
  unsignedRefund,
  unsignedSettlement,
  verifyBuyerSignature,
} from './index.js';
import type { ChannelParameters, Network, RelativeLock } from './index.js';

/** Vectors produced by the compiled reference: integers are decimal strings, bytes hex, txids in display order. */

interface LockVector {
  readonly units: 'time' | 'blocks';
  readonly counter: string;
  readonly scriptPush: string;
  readonly sequence: string;
}
interface TransactionVector {
  readonly hex: string;
  readonly txid: string;
  readonly size: string;
  readonly inputs: readonly { readonly scriptSig: string }[];
}
interface OutpointVector {
  readonly txid: string;
  readonly index: string;
}
interface ChannelVector {
  readonly network: string;
  readonly price: string;
  readonly settlementFee: string;
  readonly funds: string;
  readonly contractOutPoint: OutpointVector;
  readonly lockTime: LockVector;
  readonly payorPk: string;
  readonly payeePk: string;
  readonly payorSk: string;
  readonly payeeSk: string;
  readonly payorFinalPkHash: string;
  readonly payeeFinalPkHash: string;
}
interface SettlementVector extends ChannelVector {
  readonly description: string;
  readonly numberOfPayments: string;
  readonly verdict: 'ok' | 'throws';
  readonly redeemScript: string;
  readonly implicitFee: string;
  readonly payeeOutputIncluded: boolean;
  readonly sighash: string;
  readonly payorSignature: string;
  readonly payeeSignature: string;
  readonly unsigned: TransactionVector;
  readonly signed: TransactionVector;
}
interface RefundVector {
  readonly network: string;
  readonly funds: string;
  readonly contractOutPoint: OutpointVector;
  readonly lockTime: LockVector;
  readonly lock: string | readonly { readonly contractMinedAt: string; readonly lockedUntil: string }[];
  readonly payorPk: string;
  readonly payeePk: string;
  readonly payorSk: string;
  readonly redeemScript: string;
  readonly sequence: string;
  readonly destinationPkHash: string;
  readonly signedTxVersion1: TransactionVector & { readonly sighash: string };
  readonly signedTxVersion2: TransactionVector & { readonly sighash: string };
}
interface ContractVector {
  readonly network: string;
  readonly commitments: readonly {
    readonly lockTime: LockVector;
    readonly payeePk: string;
    readonly payorPk: string;
    readonly redeemScript: string;
    readonly scriptPubKey: string;
    readonly value: string;
  }[];
  readonly change: { readonly pubKeyHash: string; readonly value: string } | null;
  readonly funding: readonly {
    readonly outPoint: OutpointVector;
    readonly pk: string;
    readonly sk: string;
    readonly scriptPubKey: string;
    readonly value: string;
  }[];
  readonly inputSighashes: readonly string[];
  readonly sizeWithoutInputs: string;
  readonly signed: TransactionVector;
}
interface Vectors {
  readonly networks: readonly { readonly name: string; readonly sigHash: { readonly scriptByte: string } }[];
  readonly redeemScripts: readonly {
    readonly lockTime: LockVector;
    readonly payeePk: string;
    readonly payorPk: string;
    readonly redeemScript: string;
    readonly scriptHash: string;
    readonly scriptPubKey: string;
    readonly p2shAddress: { readonly mainnet: string; readonly testnet: string };
  }[];
  readonly malformedRedeemScripts: readonly {
    readonly description: string;
    readonly script: string;
    readonly verdict: 'accepts' | 'throws';
  }[];
  readonly contractSizes: readonly {
    readonly hasChange: boolean;
    readonly numberOfCommitments: number;
    readonly transactionSize: string;
  }[];
  readonly contracts: readonly ContractVector[];
  readonly settlements: readonly SettlementVector[];
  readonly refunds: readonly RefundVector[];
  readonly paymentRegistration: {
    readonly channel: ChannelVector;
    readonly cases: readonly {
      readonly description: string;
      readonly accepted: boolean;
      readonly payeePaymentsBefore: string;
      readonly signature: string;
    }[];
  };
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../tools/conformance/fixtures/reference/paymentchannel.json', import.meta.url), 'utf8'),
) as Vectors;

const ecdsa = bestEcdsa();

function network(name: string): Network {
  if (!isNetwork(name)) throw new Error(`unknown network ${name}`);
  return name;
}

function lockOf(vector: LockVector): RelativeLock {
  return { units: vector.units, counter: Number(vector.counter) };
}

function outpoint(vector: OutpointVector) {
  return { txid: fromHex(vector.txid), index: Number(vector.index) };
}

function channelOf(vector: ChannelVector): ChannelParameters {
  return {
    network: network(vector.network),
    priceSat: BigInt(vector.price),
    lockUnits: Number(vector.lockTime.counter),
    settlementFeeSat: BigInt(vector.settlementFee),
    fundingValueSat: BigInt(vector.funds),
    fundingOutpoint: outpoint(vector.contractOutPoint),
    buyerPublicKey: fromHex(vector.payorPk),
    sellerPublicKey: fromHex(vector.payeePk),
    buyerKeyHash: fromHex(vector.payorFinalPkHash),
    sellerKeyHash: fromHex(vector.payeeFinalPkHash),
  };
}

test('the six networks and their sighash bytes', () => {
  expect(vectors.networks.map(({ name }) => name)).toEqual([...NETWORKS]);
  for (const { name, sigHash } of vectors.networks) {
    expect(
      sighashByte(signingRule(network(name)))
        .toString(16)
        .padStart(2, '0'),
    ).toBe(sigHash.scriptByte);
    expect(addressParameters(network(name)).pubKeyHash).toBe(name.startsWith('mainnet') ? 0x00 : 0x6f);
  }
});

test.each(vectors.redeemScripts)('redeem script with lock $lockTime.counter $lockTime.units', (vector) => {
  const lock = lockOf(vector.lockTime);
  expect(toHex(lockPush(lock))).toBe(vector.lockTime.scriptPush);
  expect(lockSequence(lock)).toBe(Number(vector.lockTime.sequence));
  const keys = { sellerPublicKey: fromHex(vector.payeePk), buyerPublicKey: fromHex(vector.payorPk) };
  const script = encodeRedeemScript({ ...keys, lock });
  expect(toHex(script)).toBe(vector.redeemScript);
  expect(toHex(hash160(script))).toBe(vector.scriptHash);
  expect(toHex(p2shScript(script))).toBe(vector.scriptPubKey);
  expect(p2shAddress(script, 'mainnet')).toBe(vector.p2shAddress.mainnet);
  expect(p2shAddress(script, 'testnet3')).toBe(vector.p2shAddress.testnet);
  expect(p2shAddress(script, 'mainnet_bitcoin_cash')).toBe(vector.p2shAddress.mainnet);
  expect(parseRedeemScript(script, ecdsa)).toEqual({ ok: true, script: { ...keys, lock } });
});

test.each(vectors.malformedRedeemScripts)('redeem script, $description: $verdict', ({ script, verdict }) => {
  expect(parseRedeemScript(fromHex(script), ecdsa).ok).toBe(verdict === 'accepts');
});

test('contract sizes', () => {
  for (const vector of vectors.contractSizes) {
    const size = contractSizeBytes(vector.numberOfCommitments, vector.hasChange);
    expect(size).toBe(Number(vector.transactionSize));
  }
});

const payable = vectors.settlements.filter(({ verdict }) => verdict === 'ok');
const overpaid = vectors.settlements.filter(({ verdict }) => verdict === 'throws');

test.each(overpaid)('settlement $numberOfPayments, $description, is refused', (vector) => {
  const channel = channelOf(vector);
  const k = Number(vector.numberOfPayments);
  const template = prepareSettlement(channel, fromHex(vector.redeemScript));
  expect(() => unsignedSettlement(channel, k)).toThrow(RangeError);
  expect(() => template.digest(k)).toThrow(RangeError);
  expect(verifyBuyerSignature(template, k, new Uint8Array(), ecdsa)).toEqual({ ok: false, code: 'beyond-k-pay' });
});

test.each(payable)('settlement $numberOfPayments, $description, on $network', (vector) => {
  const channel = channelOf(vector);
  const k = Number(vector.numberOfPayments);
  const redeemScript = fromHex(vector.redeemScript);
  const template = prepareSettlement(channel, redeemScript);
  expect(toHex(encodeRedeemScript({ ...channel, lock: lockOf(vector.lockTime) }))).toBe(vector.redeemScript);

  const unsigned = unsignedSettlement(channel, k);
  expect(toHex(unsigned.bytes)).toBe(vector.unsigned.hex);
  expect(unsigned.txid).toBe(vector.unsigned.txid);
  expect(unsigned.bytes.length).toBe(Number(vector.unsigned.size));
  expect(isCollectable(k, channel.priceSat, channel.settlementFeeSat)).toBe(vector.payeeOutputIncluded);
  expect(settlementMiningFeeSat(k, channel.priceSat, channel.settlementFeeSat)).toBe(BigInt(vector.implicitFee));

  expect(toHex(template.digest(k))).toBe(vector.sighash);
  expect(toHex(settlementDigest(channel, k, signingRule(channel.network), redeemScript))).toBe(vector.sighash);

  const [buyerDer, sellerDer] = [fromHex(vector.payorSignature), fromHex(vector.payeeSignature)];
  const signed = signedSettlement(channel, k, buyerDer, sellerDer, redeemScript);
  expect(toHex(signed.bytes)).toBe(vector.signed.hex);
  expect(signed.txid).toBe(vector.signed.txid);

  const seller = parseDerSignature(sellerDer);
  expect(seller.ok && ecdsa.verify(template.digest(k), seller.compact, channel.sellerPublicKey)).toBe(true);
  // Payment 0 does not exist; the reference's vectors sign the untouched channel all the same.
  const verdict = k === 0 ? { ok: false, code: 'k-out-of-range' } : { ok: true };
  expect(verifyBuyerSignature(template, k, buyerDer, ecdsa)).toEqual(verdict);
  const ours = signSettlement(template, k, fromHex(vector.payorSk), ecdsa);
  expect(verifyBuyerSignature(template, k, ours, ecdsa)).toEqual(verdict);
});

test.each(vectors.paymentRegistration.cases)('registering a payment: $description', (vector) => {
  const template = prepareSettlement(channelOf(vectors.paymentRegistration.channel));
  const next = Number(vector.payeePaymentsBefore) + 1;
  expect(verifyBuyerSignature(template, next, fromHex(vector.signature), ecdsa).ok).toBe(vector.accepted);
});

test.each(vectors.refunds)('refund with lock $lockTime.counter $lockTime.units on $network', (vector) => {
  const lock = lockOf(vector.lockTime);
  const redeemScript = fromHex(vector.redeemScript);
  const channel = {
    network: network(vector.network),
    lockUnits: lock.counter,
    fundingValueSat: BigInt(vector.funds),
    fundingOutpoint: outpoint(vector.contractOutPoint),
    buyerPublicKey: fromHex(vector.payorPk),
    sellerPublicKey: fromHex(vector.payeePk),
  };
  expect(lockSequence(lock)).toBe(Number(vector.sequence));
  if (typeof vector.lock !== 'string') {
    for (const { contractMinedAt, lockedUntil } of vector.lock) {
      expect(refundMaturityMtp(Number(contractMinedAt), lock.counter)).toBe(Number(lockedUntil));
    }
  }
  for (const version of [1, 2] as const) {
    const expected = version === 1 ? vector.signedTxVersion1 : vector.signedTxVersion2;
    const theirs = Transaction.fromHex(expected.hex);
    const value = theirs.outs[0]?.value ?? 0n;
    const outputs = [{ script: p2pkhScript(fromHex(vector.destinationPkHash)), valueSat: value }];
    const options = { version, lock, redeemScript };
    const unsigned = unsignedRefund(channel, outputs, options);
    expect(toHex(refundDigest(channel, unsigned, options))).toBe(expected.sighash);
    const der = theirs.ins[0]!.script.slice(1, theirs.ins[0]!.script[0]!);
    unsigned.setInputScript(0, refundScriptSig(der, redeemScript, signingRule(channel.network)));
    expect(toHex(raw(unsigned).bytes)).toBe(expected.hex);
    expect(raw(unsigned).txid).toBe(expected.txid);
    const ours = signedRefund(channel, outputs, fromHex(vector.payorSk), ecdsa, options);
    expect(Math.abs(ours.bytes.length - Number(expected.size))).toBeLessThanOrEqual(2);
  }
});

test.each(vectors.contracts)('contract for $commitments.length sellers on $network', (vector) => {
  const rule = signingRule(network(vector.network));
  for (const { payeePk, payorPk, lockTime, redeemScript, scriptPubKey } of vector.commitments) {
    const keys = { sellerPublicKey: fromHex(payeePk), buyerPublicKey: fromHex(payorPk) };
    const script = encodeRedeemScript({ ...keys, lock: lockOf(lockTime) });
    expect(toHex(script)).toBe(redeemScript);
    expect(toHex(p2shScript(script))).toBe(scriptPubKey);
  }
  const change = vector.change && p2pkhChange(fromHex(vector.change.pubKeyHash), BigInt(vector.change.value));
  const commitments = vector.commitments.map(({ scriptPubKey, value }) => ({
    script: fromHex(scriptPubKey),
    valueSat: BigInt(value),
  }));
  const transaction = unsignedContract(
    vector.funding.map(({ outPoint }) => outpoint(outPoint)),
    commitments,
    change ?? undefined,
  );
  expect(contractSizeBytes(commitments.length, vector.change !== null)).toBe(Number(vector.sizeWithoutInputs));
  const theirs = Transaction.fromHex(vector.signed.hex);
  vector.funding.forEach((coin, i) => {
    const digest = inputDigest(transaction, i, fromHex(coin.scriptPubKey), BigInt(coin.value), rule);
    expect(toHex(digest)).toBe(vector.inputSighashes[i]);
    const scriptSig = theirs.ins[i]!.script;
    const der = scriptSig.slice(1, scriptSig[0]!);
    const signature = parseDerSignature(der);
    expect(signature.ok && ecdsa.verify(digest, signature.compact, fromHex(coin.pk))).toBe(true);
    theirs.setInputScript(i, p2pkhScriptSig(der, fromHex(coin.pk), rule));
    expect(theirs.ins[i]!.script).toEqual(scriptSig);
    transaction.setInputScript(i, scriptSig);
  });
  expect(toHex(raw(transaction).bytes)).toBe(vector.signed.hex);
  expect(raw(transaction).txid).toBe(vector.signed.txid);
});
