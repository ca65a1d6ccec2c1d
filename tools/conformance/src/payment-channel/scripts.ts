import {
  bestEcdsa,
  encodeRedeemScript,
  hash160,
  NETWORKS,
  p2shAddress,
  p2shScript,
  parseRedeemScript,
  sighashByte,
  signingRule,
} from '@seedfleet/payment-channel';
import { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { findRule, SCRIPT_RULES } from '../rules.js';
import { compareLock, lockOf, networkOf } from './vector-channel.js';

const ecdsa = bestEcdsa();

/** `networks[]`: known, with the signing rule's byte. */
export const runNetworks = (content: Fields, report: Report, file: string): void => {
  content.list('networks').forEach((vector, at) => {
    report.run(`${file} networks[${at}] ${vector.textOr('name', '')}`, () => {
      const diff = new Differences();
      const name = vector.text('name');
      const network = NETWORKS.find((known) => known === name);
      if (network === undefined) return [`network ${name} is not known`];
      compareSigHash(diff, vector.fields('sigHash'), sighashByte(signingRule(network)));
      return diff.found;
    });
  });
};

export const compareSigHash = (diff: Differences, sigHash: Fields, byte: number): void => {
  diff.same('sigHash.hashCode', sigHash.number('hashCode'), byte);
  diff.same('sigHash.scriptByte', sigHash.bytes('scriptByte'), Uint8Array.of(byte));
};

/** Checks a vector's own `sigHash` against its network. */
export const compareNetworkSigHash = (diff: Differences, vector: Fields): void => {
  if (vector.has('sigHash'))
    compareSigHash(diff, vector.fields('sigHash'), sighashByte(signingRule(networkOf(vector))));
};

/** `redeemScripts[]`: building and parsing, the script's hash, output script and addresses. */
export const runRedeemScripts = (content: Fields, report: Report, file: string): void => {
  content.list('redeemScripts').forEach((vector, at) => {
    report.run(`${file} redeemScripts[${at}]`, () => compareRedeemScript(vector, report));
  });
};

const compareRedeemScript = (vector: Fields, report: Report): string[] => {
  const diff = new Differences();
  const expected = vector.bytes('redeemScript');
  const parts = {
    sellerPublicKey: vector.bytes('payeePk'),
    buyerPublicKey: vector.bytes('payorPk'),
    lock: lockOf(vector.fields('lockTime')),
  };
  compareLock(diff, vector.fields('lockTime'));
  const script = encodeRedeemScript(parts);
  diff.same('redeemScript', expected, script);
  if (vector.has('scriptHash')) diff.same('scriptHash', vector.bytes('scriptHash'), hash160(script));
  if (vector.has('scriptPubKey')) diff.same('scriptPubKey', vector.bytes('scriptPubKey'), p2shScript(script));
  if (vector.has('p2shAddress')) {
    const address = vector.fields('p2shAddress');
    if (address.has('mainnet')) diff.same('address', address.text('mainnet'), p2shAddress(script, 'mainnet'));
    if (address.has('testnet')) diff.same('address', address.text('testnet'), p2shAddress(script, 'testnet3'));
  }
  compareKeys(diff, vector);
  const parsed = parseRedeemScript(expected, ecdsa);
  const readable = vector.textOr('deserialize', 'ok') === 'ok';
  const rule = readable === parsed.ok ? undefined : findRule(SCRIPT_RULES, parts);
  if (rule !== undefined) report.useRule(rule.id);
  else diff.same('deserialize', readable, parsed.ok);
  if (parsed.ok && readable) {
    diff.same('parsed payeePk', parts.sellerPublicKey, parsed.script.sellerPublicKey);
    diff.same('parsed payorPk', parts.buyerPublicKey, parsed.script.buyerPublicKey);
    diff.same(
      'parsed lock',
      `${parts.lock.units} ${parts.lock.counter}`,
      `${parsed.script.lock.units} ${parsed.script.lock.counter}`,
    );
  }
  return diff.found;
};

/** Public keys belong to the private keys beside them. */
export const compareKeys = (diff: Differences, vector: Fields): void => {
  for (const party of ['payor', 'payee']) {
    if (!vector.has(`${party}Sk`)) continue;
    diff.same(`${party}Pk`, vector.bytes(`${party}Pk`), ecdsa.publicKeyFor(vector.bytes(`${party}Sk`)));
  }
};

/** `malformedRedeemScripts[]`: read exactly when the reference reads it. */
export const runMalformedRedeemScripts = (content: Fields, report: Report, file: string): void => {
  content.list('malformedRedeemScripts').forEach((vector, at) => {
    report.run(`${file} malformedRedeemScripts[${at}] ${vector.textOr('description', '')}`, () => {
      const diff = new Differences();
      const parsed = parseRedeemScript(vector.bytes('script'), ecdsa);
      diff.same('verdict', vector.text('verdict'), parsed.ok ? 'accepts' : 'throws');
      return diff.found;
    });
  });
};
