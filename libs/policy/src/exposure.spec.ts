import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExposureInUse, FundingFacts, PolicyOverrides } from './index.js';
import { allowancePieces, policyWith, servingVerdict } from './index.js';

const policy = policyWith();
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const funding: FundingFacts = {
  network: 'mainnet',
  valueSat: 7509n,
  confirmations: 0,
  seenForMs: 0,
  unconfirmedAncestors: 0,
  signalsReplacement: false,
  feeRateSatPerKvb: 3000n,
  minContractFeePerKbSat: 1000n,
  threeBlockSatPerKvb: 3000n,
};
const sale = { pieces: 1000, pieceLengthBytes: MIB, priceSat: 10n };
const idle: ExposureInUse = {
  subnetDayBytes: 0,
  subnetTorrentPieces: 0,
  nodeBytes: 0,
  fleetBytes: 0,
  subnetAbandonedDay: 0,
  isLocal: false,
};

const verdict = (facts: Partial<FundingFacts> = {}, inUse: Partial<ExposureInUse> = {}, size = sale) =>
  servingVerdict({ ...funding, ...facts }, size, { ...idle, ...inUse }, policy);

describe('allowance of one unconfirmed channel', () => {
  test.each([
    ['mainnet', 1000, 1, 10n, 20, '2 % of the pieces'],
    ['mainnet', 10_000, 1, 10n, 32, '32 MiB'],
    ['mainnet', 10, 64, 10n, 1, 'at least one piece'],
    ['mainnet_bitcoin_cash', 1000, 1, 10n, 200, '20 % of the pieces'],
    ['mainnet_bitcoin_cash', 10_000, 1, 10n, 256, '256 MiB'],
    ['mainnet_bitcoin_cash', 1000, 1, 500n, 40, '20,000 satoshi'],
  ] as const)('%s, %s pieces of %s MiB at %s sat: %s pieces, %s', (network, pieces, mib, priceSat, allowed, _why) => {
    expect(allowancePieces(network, { pieces, pieceLengthBytes: mib * MIB, priceSat }, policy)).toBe(allowed);
  });
});

describe('serving verdict', () => {
  test('an eligible unconfirmed funding gets its allowance', () => {
    expect(verdict()).toEqual({ serve: 'allowance', pieces: 20, bytes: 20 * MIB, reason: 'unconfirmed' });
    expect(verdict({ threeBlockSatPerKvb: 0n })).toMatchObject({ serve: 'allowance' });
    // A buyer whose kB has 1,024 bytes pays 976 where 1,000 are asked.
    expect(verdict({ feeRateSatPerKvb: 976n, threeBlockSatPerKvb: 0n })).toMatchObject({ serve: 'allowance' });
  });

  test('confirmations by value serve all', () => {
    expect(verdict({ confirmations: 1 })).toEqual({ serve: 'all' });
    expect(verdict({ confirmations: 1, valueSat: 250_001n })).toMatchObject({ serve: 'allowance' });
    expect(verdict({ confirmations: 2, valueSat: 250_001n })).toEqual({ serve: 'all' });
    // Once mined, the fee rate no longer matters.
    expect(verdict({ confirmations: 1, valueSat: 250_001n, feeRateSatPerKvb: 1n })).toMatchObject({
      serve: 'allowance',
    });
  });

  test.each<[Partial<FundingFacts>, Partial<ExposureInUse>, string]>([
    [{ sinceConflictMs: 3_600_000 }, {}, 'conflict-seen'],
    [{ signalsReplacement: true }, {}, 'replaceable'],
    [{ unconfirmedAncestors: 1 }, {}, 'unconfirmed-ancestors'],
    [{ feeRateSatPerKvb: 2999n }, {}, 'fee-rate-low'],
    [{ feeRateSatPerKvb: 969n }, {}, 'fee-rate-below-terms'],
    [{ network: 'mainnet_bitcoin_cash', seenForMs: 4999 }, {}, 'too-young'],
    [{}, { subnetAbandonedDay: 2 }, 'subnet-abandons'],
    [{}, { subnetDayBytes: 64 * MIB }, 'subnet-exhausted'],
    [{}, { subnetTorrentPieces: 50 }, 'subnet-torrent-exhausted'],
    [{}, { nodeBytes: 2 * GIB }, 'node-exhausted'],
    [{}, { fleetBytes: 20 * GIB }, 'fleet-exhausted'],
  ])('%o %o: %s', (facts, inUse, reason) => {
    expect(verdict(facts, inUse)).toEqual({ serve: 'nothing', reason });
  });

  test('what counts as replaceable, and when a rival is forgotten, is for the operator to say', () => {
    const under = (zeroConf: NonNullable<PolicyOverrides['zeroConf']>, facts: Partial<FundingFacts>) =>
      servingVerdict({ ...funding, ...facts }, sale, idle, policyWith({ zeroConf }));
    const allowance = { serve: 'allowance' };
    const cash = { network: 'mainnet_bitcoin_cash', signalsReplacement: true, seenForMs: 5_000 } as const;
    expect(verdict(cash)).toMatchObject(allowance);
    expect(under({ bitcoin: { replaceable: 'never' } }, { signalsReplacement: true })).toMatchObject(allowance);
    expect(under({ bitcoin: { replaceable: 'always' } }, {})).toEqual({ serve: 'nothing', reason: 'replaceable' });
    expect(under({ afterConflict: 'quiet' }, { sinceConflictMs: 3_000 })).toMatchObject(allowance);
    expect(under({ afterConflict: 'quiet' }, { sinceConflictMs: 2_999 })).toMatchObject({ reason: 'conflict-seen' });
    // A block ends every doubt about the mempool.
    const mined = { confirmations: 1, signalsReplacement: true, sinceConflictMs: 0 };
    expect(verdict(mined)).toEqual({ serve: 'all' });
  });

  test('buyers on this machine are exempt from limits per subnet only', () => {
    const full = { subnetDayBytes: GIB, subnetTorrentPieces: 1000, subnetAbandonedDay: 9, isLocal: true };
    expect(verdict({}, full)).toMatchObject({ serve: 'allowance', pieces: 20 });
    expect(verdict({}, { ...full, nodeBytes: 2 * GIB })).toMatchObject({ serve: 'nothing' });
  });

  test('the sums never exceed their caps, however channels come', () => {
    const count = fc.nat(200);
    fc.assert(
      fc.property(count, count, fc.integer({ min: 1, max: 40 }), (subnetMib, subnetTorrentPieces, pieceMib) => {
        const size = { ...sale, pieceLengthBytes: pieceMib * MIB };
        const result = verdict({}, { subnetDayBytes: subnetMib * MIB, subnetTorrentPieces }, size);
        if (result.serve !== 'allowance') return result.serve === 'nothing';
        expect(result.bytes).toBe(result.pieces * size.pieceLengthBytes);
        expect(subnetMib * MIB + result.bytes).toBeLessThanOrEqual(64 * MIB);
        return subnetTorrentPieces + result.pieces <= 50;
      }),
    );
  });
});
