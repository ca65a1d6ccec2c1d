import {
  bestEcdsa,
  contractSizeBytes,
  decodeTransaction,
  encodeRedeemScript,
  inputDigest,
  p2pkhChange,
  p2shScript,
  parseDerSignature,
  sighashByte,
  signingRule,
  unsignedContract,
} from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { compareKeys, compareNetworkSigHash } from './scripts.js';
import { compareOutputs, compareTransaction } from './transactions.js';
import { compareLock, lockOf, networkOf } from './vector-channel.js';

const ecdsa = bestEcdsa();

/** `contracts[]`: outputs, size, the digest of each input, and the recorded signatures over it. */
export const runContracts = (content: Fields, report: Report, file: string): void => {
  content.list('contracts').forEach((vector, at) => {
    report.run(`${file} contracts[${at}] ${vector.textOr('network', '')}`, () => compareContract(vector));
  });
};

const compareContract = (vector: Fields): string[] => {
  const diff = new Differences();
  const rule = signingRule(networkOf(vector));
  compareNetworkSigHash(diff, vector);
  const commitments = vector.list('commitments').map((commitment) => compareCommitment(diff, commitment));
  const change = vector.has('change')
    ? p2pkhChange(vector.fields('change').bytes('pubKeyHash'), vector.fields('change').integer('value'))
    : undefined;
  const funding = vector.list('funding');
  const outpoints = funding.map((input) => {
    const outPoint = input.fields('outPoint');
    return { txid: outPoint.bytes('txid'), index: outPoint.number('index') };
  });
  const transaction = unsignedContract(outpoints, commitments, change);
  compareOutputs(diff, 'outputs', vector.list('outputs'), transaction.outs);
  const size = contractSizeBytes(commitments.length, change !== undefined);
  if (vector.has('sizeWithoutInputs')) diff.same('sizeWithoutInputs', vector.number('sizeWithoutInputs'), size);
  if (!vector.has('signed')) return diff.found;

  // The reference's nonces are random: its signatures are verified, and put into our transaction to compare the bytes.
  const signed = decodeTransaction(vector.fields('signed').bytes('hex'));
  if (signed === undefined) throw new VectorError(`${vector.path}.signed.hex is no transaction`);
  const digests = vector.values('inputSighashes');
  funding.forEach((input, at) => {
    const digest = inputDigest(transaction, at, input.bytes('scriptPubKey'), input.integer('value'), rule);
    if (digests[at] !== undefined)
      diff.same(`inputSighashes[${at}]`, String(digests[at]), Buffer.from(digest).toString('hex'));
    const script = signed.ins[at]?.script ?? new Uint8Array();
    const signature = script.subarray(1, script[0] ?? 0);
    diff.same(`inputs[${at}] hash type`, sighashByte(rule), script[script[0] ?? 0]);
    const der = parseDerSignature(signature);
    const valid = der.ok && ecdsa.verify(digest, der.compact, input.bytes('pk'));
    diff.same(`inputs[${at}] signature valid`, true, valid);
  });
  signed.ins.forEach((input, at) => transaction.setInputScript(at, input.script));
  compareTransaction(diff, 'signed', vector.fields('signed'), Uint8Array.from(transaction.toBuffer()));
  return diff.found;
};

const compareCommitment = (diff: Differences, commitment: Fields): { script: Uint8Array; valueSat: bigint } => {
  compareLock(diff, commitment.fields('lockTime'));
  compareKeys(diff, commitment);
  const redeemScript = encodeRedeemScript({
    sellerPublicKey: commitment.bytes('payeePk'),
    buyerPublicKey: commitment.bytes('payorPk'),
    lock: lockOf(commitment.fields('lockTime')),
  });
  const script = p2shScript(redeemScript);
  diff.same('redeemScript', commitment.bytes('redeemScript'), redeemScript);
  diff.same('scriptPubKey', commitment.bytes('scriptPubKey'), script);
  return { script, valueSat: commitment.integer('value') };
};

/** `contractSizes[]`: bytes apart from the inputs. */
export const runContractSizes = (content: Fields, report: Report, file: string): void => {
  content.list('contractSizes').forEach((vector, at) => {
    report.run(`${file} contractSizes[${at}]`, () => {
      const diff = new Differences();
      const size = contractSizeBytes(vector.number('numberOfCommitments'), vector.flag('hasChange'));
      diff.same('transactionSize', vector.number('transactionSize'), size);
      return diff.found;
    });
  });
};

/** `contractFees[]`: the reference's floating-point formula, which only these vectors need. */
export const runContractFees = (content: Fields, report: Report, file: string): void => {
  content.list('contractFees').forEach((vector, at) => {
    report.run(`${file} contractFees[${at}]`, () => {
      const diff = new Differences();
      const size = contractSizeBytes(vector.number('numberOfCommitments'), vector.flag('hasChange'));
      const fee = referenceContractFee(vector.integer('feePerKb'), size + vector.number('sizeOfAllInputs'));
      diff.same('totalFee', vector.integer('totalFee'), fee);
      return diff.found;
    });
  });
};

/**
 * Satoshi by the reference's formula: the rate times kilobytes of 1024 bytes, each step rounded to a 32-bit float, then
 * rounded up (payment channel §4). Nothing on the wire depends on it and no money of ours is reckoned with it.
 */
const referenceContractFee = (ratePerKbSat: bigint, sizeBytes: number): bigint => {
  const kilobytes = Math.fround(Math.fround(sizeBytes) / 1024);
  return BigInt(Math.ceil(Math.fround(Math.fround(Number(ratePerKbSat)) * kilobytes)));
};
