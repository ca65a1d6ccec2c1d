import { readFileSync } from 'node:fs';
import { createVirtualMachineBCH2023, decodeTransactionUnsafe, type TransactionCommon } from '@bitauth/libauth';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bestEcdsa,
  fromHex,
  p2pkhScript,
  p2shScript,
  prepareSettlement,
  redeemScriptOf,
  signedRefund,
  signedSettlement,
  signSettlement,
  timeLock,
  type ChannelParameters,
} from './index.js';

/*
 * Settlements and refunds judged by an interpreter of Bitcoin Cash's rules that shares no code with this one (libauth), with
 * the rules of standard transactions. It does not hold the hash of a P2SH output against the script, so nothing here asks it to:
 * real nodes of Bitcoin do that in other specs, and the rule is the same.
 */

interface Specification {
  readonly keys: Record<string, string>;
  readonly p2shScriptPubKey: string;
  readonly settlements: readonly {
    readonly bitcoin_SIGHASH_ALL_01: { readonly rawTx: string };
    readonly cash_ALL_FORKID_41: { readonly rawTx: string };
  }[];
}

const specification = JSON.parse(
  readFileSync(new URL('../fixtures/specification.json', import.meta.url), 'utf8'),
) as Specification;
const key = (name: string): Uint8Array => fromHex(specification.keys[name] ?? '');
const vm = createVirtualMachineBCH2023(true);
const ecdsa = bestEcdsa();

/** True, or what the interpreter does not like. */
function verdict(raw: Uint8Array, lockingBytecode: Uint8Array, valueSatoshis: bigint): string | true {
  const transaction: TransactionCommon = decodeTransactionUnsafe(Uint8Array.from(raw));
  return vm.verify({
    sourceOutputs: [{ lockingBytecode: Uint8Array.from(lockingBytecode), valueSatoshis }],
    transaction,
  });
}

const channel = fc
  .record({
    network: fc.constantFrom('mainnet_bitcoin_cash', 'testnet_bitcoin_cash', 'regtest_bitcoin_cash'),
    priceSat: fc.bigInt(1n, 100_000n),
    lockUnits: fc.integer({ min: 0, max: 65_535 }),
    settlementFeeSat: fc.bigInt(347n, 5_000n),
    pieces: fc.integer({ min: 1, max: 5_000 }),
    outpoint: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ pieces, outpoint, ...terms }): ChannelParameters & { readonly pieces: number } => ({
    ...terms,
    pieces,
    fundingValueSat: terms.priceSat * BigInt(pieces + 1) + 10_000n,
    fundingOutpoint: { txid: outpoint, index: pieces % 7 },
    buyerPublicKey: key('payorContractPk'),
    sellerPublicKey: key('payeeContractPk'),
    buyerKeyHash: key('payorFinalPkHash'),
    sellerKeyHash: key('payeeFinalPkHash'),
  }));

const lockOf = (parameters: ChannelParameters): Uint8Array => p2shScript(redeemScriptOf(parameters));

function settled(parameters: ChannelParameters, k: number, signedK = k): Uint8Array {
  const template = prepareSettlement(parameters);
  const buyer = signSettlement(template, signedK, key('payorContractSk'), ecdsa);
  const seller = signSettlement(template, k, key('payeeContractSk'), ecdsa);
  return signedSettlement(parameters, k, buyer, seller).bytes;
}

describe('an independent interpreter of Bitcoin Cash', () => {
  it('takes the settlements of the specification in its own digest, and not in the legacy one', () => {
    const lock = fromHex(specification.p2shScriptPubKey);
    for (const { cash_ALL_FORKID_41: cash, bitcoin_SIGHASH_ALL_01: legacy } of specification.settlements) {
      expect(verdict(fromHex(cash.rawTx), lock, 7_509n)).toBe(true);
      expect(verdict(fromHex(legacy.rawTx), lock, 7_509n)).toEqual(expect.stringContaining('signature'));
    }
  });

  it('takes every settlement that is made here, and none for another amount, payment or digest', () => {
    fc.assert(
      fc.property(channel, fc.double({ min: 0, max: 1, noNaN: true }), (parameters, part) => {
        const k = 1 + Math.floor(part * (parameters.pieces - 1));
        const raw = settled(parameters, k);
        const lock = lockOf(parameters);
        const { fundingValueSat } = parameters;
        expect(verdict(raw, lock, fundingValueSat)).toBe(true);
        expect(verdict(raw, lock, fundingValueSat + 1n)).not.toBe(true);
        expect(verdict(settled(parameters, k, k + 1), lock, fundingValueSat)).not.toBe(true);
        expect(verdict(settled({ ...parameters, network: 'regtest' }, k), lock, fundingValueSat)).not.toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('takes the refund with its lock, and with no shorter one', () => {
    fc.assert(
      fc.property(channel, (parameters) => {
        const { fundingValueSat, lockUnits } = parameters;
        const outputs = [{ script: p2pkhScript(key('payorFinalPkHash')), valueSat: fundingValueSat - 300n }];
        const refund = (units: number): Uint8Array => {
          const options = { lock: timeLock(units), redeemScript: redeemScriptOf(parameters) };
          return signedRefund(parameters, outputs, key('payorContractSk'), ecdsa, options).bytes;
        };
        const lock = lockOf(parameters);
        expect(verdict(refund(lockUnits), lock, fundingValueSat)).toBe(true);
        if (lockUnits > 0) expect(verdict(refund(lockUnits - 1), lock, fundingValueSat)).not.toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
