import { describe, expect, test } from 'vitest';
import type { FeeEstimates } from './index.js';
import {
  DEFAULT_POLICY,
  childBudgetSat,
  childReason,
  confirmationsNeeded,
  deriveTerms,
  fitLock,
  gateAtJoin,
  gateAtReady,
  isOneTooManyBelowMin,
  marginWithinLock,
  joinLimit,
  policyFaults,
  policyWith,
  saleEconomics,
  settlementFeeSat,
  settlementMarginSeconds,
  shortestLockUnits,
  shouldRequote,
  staleQuote,
  unpaidLimit,
  windowAdmits,
  windowPieces,
} from './index.js';

const policy = policyWith();
const MIB = 1024 * 1024;

describe('configuration', () => {
  test('the defaults are sound, and overrides touch only what they name', () => {
    expect(policyFaults(policy)).toEqual([]);
    const changed = policyWith({ window: { maxPieces: 8 }, zeroConf: { bitcoin: { maxValueSat: 5n } } });
    expect(changed.window).toEqual({ ...DEFAULT_POLICY.window, maxPieces: 8 });
    expect(changed.zeroConf.bitcoin.maxValueSat).toBe(5n);
    expect(changed.zeroConf.bitcoinCash).toEqual(DEFAULT_POLICY.zeroConf.bitcoinCash);
    expect(DEFAULT_POLICY.window.maxPieces).toBe(4);
  });

  test('unknown names, wrong types and unsound numbers are found', () => {
    const unknown: object = { windw: 1 };
    const wrongType: object = { maxQueuedRequests: '16' };
    expect(() => policyWith(unknown)).toThrow('windw');
    expect(() => policyWith(wrongType)).toThrow('maxQueuedRequests');
    expect(policyFaults(policyWith({ lock: { minUnits: 10, unknownBuyerUnits: 10 } }))).toHaveLength(1);
    expect(policyFaults(policyWith({ maxQueuedRequests: -1 }))).toEqual(['maxQueuedRequests: must not be negative']);
    expect(policyFaults(policyWith({ window: { startPieces: 5 } }))).toHaveLength(1);
  });
});

describe('settlement fee', () => {
  test.each<[FeeEstimates, bigint, string]>([
    [{}, 434n, 'no estimate: 1 sat/vB'],
    [{ sixBlockSatPerKvb: 1000n }, 434n, '1.25 × 347, rounded up'],
    [{ sixBlockSatPerKvb: 300n }, 347n, 'never below the relay minimum'],
    [{ sixBlockSatPerKvb: 1000n, median24hSatPerKvb: 5000n }, 2169n, 'the larger of estimate and median'],
    [{ sixBlockSatPerKvb: 10_000n, median24hSatPerKvb: 5000n }, 4338n, 'the larger of estimate and median'],
  ])('%o gives %s: %s', (estimates, fee, _why) => expect(settlementFeeSat(estimates, policy)).toBe(fee));

  test('short locks are for regtest, and leave half their time to settle', () => {
    expect(['mainnet', 'testnet3', 'regtest', 'regtest_bitcoin_cash'].map((n) => shortestLockUnits(n, policy))).toEqual(
      [20, 20, 1, 1],
    );
    expect([1, 5, 19, 20].map((units) => marginWithinLock(5_400, units, policy))).toEqual([256, 1_280, 4_864, 5_400]);
  });

  test('margin before the refund matures', () => {
    const margin = (netSat: bigint, rate: bigint) =>
      settlementMarginSeconds({ netSat, settlementFeeSat: 434n }, { sixBlockSatPerKvb: rate }, policy);
    expect([margin(20_000n, 1000n), margin(20_001n, 1000n)]).toEqual([5400, 7200]);
    expect([margin(0n, 1250n), margin(0n, 1251n)]).toEqual([5400, 7200]);
    expect(margin(20_001n, 2000n)).toBe(9000);
  });

  test('quotes follow the fee', () => {
    expect([519n, 521n, 348n, 347n].map((fee) => shouldRequote(434n, fee, policy))).toEqual([false, true, false, true]);
    const quote = { settlementFeeSat: 434n, ageMs: 0 };
    expect(staleQuote(quote, 650n, policy)).toBeUndefined();
    expect(staleQuote(quote, 651n, policy)).toBe('fee-risen');
    expect(staleQuote({ ...quote, ageMs: 6 * 3_600_000 }, 434n, policy)).toBe('too-old');
  });

  test('a child goes along when time or fee runs short', () => {
    const settlement = { settlementFeeSat: 434n, safeBlocks: 12 };
    expect(childReason(settlement, { sixBlockSatPerKvb: 1000n }, policy)).toBeUndefined();
    expect(childReason({ ...settlement, safeBlocks: 11 }, {}, policy)).toBe('few-safe-blocks');
    expect(childReason(settlement, { sixBlockSatPerKvb: 3000n }, policy)).toBe('fee-behind-estimate');
    expect([childBudgetSat(6459n, 4, policy), childBudgetSat(6459n, 3, policy)]).toEqual([3229n, 5167n]);
  });
});

describe('terms', () => {
  test.each<[number | undefined, number, string]>([
    [undefined, 20, 'sell goes first'],
    [20, 20, 'default buyer'],
    [10, 20, 'never below 20'],
    [100, 100, 'the most that the buyer accepts'],
    [65535, 144, 'never above 144'],
  ])('a buyer accepting %s gets lock %s: %s', (buyer, lock, _why) => expect(fitLock(buyer, policy)).toBe(lock));

  test('only the lock is fitted, unless the offer has a floor price', () => {
    const buyer = { maxPriceSat: 5n, maxLockUnits: 30 };
    const terms = deriveTerms({ priceSat: 7n }, buyer, {}, policy);
    expect(terms).toEqual({
      priceSat: 7n,
      lockUnits: 30,
      maxSellers: 5,
      minContractFeePerKbSat: 1024n,
      settlementFeeSat: 434n,
    });
    const price = (floorPriceSat: bigint, maxPriceSat: bigint) =>
      deriveTerms({ priceSat: 7n, floorPriceSat }, { ...buyer, maxPriceSat }, {}, policy).priceSat;
    expect([price(4n, 5n), price(6n, 5n), price(4n, 9n)]).toEqual([5n, 7n, 7n]);
    expect(deriveTerms({ priceSat: 7n, maxLockUnits: 25 }, buyer, {}, policy).lockUnits).toBe(25);
  });
});

describe('gates', () => {
  const sale = { pieces: 987, priceSat: 7n, settlementFeeSat: 450n, sweepCostSat: 148n };
  test.each([
    [{}, 'ok'],
    [{ priceSat: 0n }, 'terms-out-of-range'],
    [{ pieces: 0 }, 'terms-out-of-range'],
    [{ settlementFeeSat: 1735n }, 'fee-share-too-high'],
    [{ settlementFeeSat: 1000n, sweepCostSat: 0n }, 'k-min-too-late'],
    [{ pieces: 1, priceSat: 1300n, settlementFeeSat: 320n, sweepCostSat: 0n }, 'net-too-small'],
    [{ pieces: 1, priceSat: 1320n, settlementFeeSat: 320n, sweepCostSat: 0n }, 'ok'],
  ])('at join, %o: %s', (change, code) => {
    const verdict = gateAtJoin({ ...sale, ...change }, policy);
    expect(verdict.ok ? 'ok' : verdict.refusal.code).toBe(code);
  });

  test('at ready only a funding that cannot reach kMin is refused', () => {
    expect(gateAtReady({ kMin: 143, kPay: 143, kCap: 143 }, policy)).toEqual({ ok: true });
    expect(gateAtReady({ kMin: 143, kPay: 143, kCap: 142 }, policy)).toEqual({
      ok: false,
      refusal: { code: 'funding-below-k-min', kMin: 143, kCap: 142 },
    });
  });
});

describe('limits', () => {
  test('window', () => {
    expect([0, 3, 4, 8, 12, 1000].map((paid) => windowPieces(paid, policy))).toEqual([1, 1, 2, 3, 4, 4]);
    const open = { unpaidPieces: 0, unpaidBytes: 0, durablePayments: 100 };
    expect(windowAdmits(open, 64 * MIB, policy)).toBe(true);
    expect(windowAdmits({ ...open, unpaidPieces: 1, unpaidBytes: 16 * MIB }, 16 * MIB, policy)).toBe(true);
    expect(windowAdmits({ ...open, unpaidPieces: 2, unpaidBytes: 32 * MIB }, 16 * MIB, policy)).toBe(false);
    expect(windowAdmits({ ...open, unpaidPieces: 4, unpaidBytes: 4 }, 1, policy)).toBe(false);
  });

  test('joins and unpaid bytes, per origin', () => {
    const waiting = { address: 3, subnet: 63, node: 1999, isLocal: false };
    expect(joinLimit(waiting, policy)).toBeUndefined();
    expect(joinLimit({ ...waiting, address: 4 }, policy)).toBe('address-joins');
    expect(joinLimit({ ...waiting, subnet: 64 }, policy)).toBe('subnet-joins');
    expect(joinLimit({ ...waiting, node: 2000, isLocal: true }, policy)).toBe('node-joins');
    expect(joinLimit({ ...waiting, address: 400, isLocal: true }, policy)).toBeUndefined();
    const unpaid = { addressBytes: 63 * MIB, subnetBytes: 0, nodeBytes: 0, isLocal: false };
    expect(unpaidLimit(unpaid, MIB, policy)).toBeUndefined();
    expect(unpaidLimit(unpaid, 2 * MIB, policy)).toBe('address-unpaid');
    expect(unpaidLimit({ ...unpaid, subnetBytes: 256 * MIB }, MIB, policy)).toBe('subnet-unpaid');
    expect(unpaidLimit({ ...unpaid, nodeBytes: 1024 * MIB }, MIB, policy)).toBe('node-unpaid');
    expect(isOneTooManyBelowMin({ belowMinOfSubnetAndTorrent: 1, isLocal: false }, policy)).toBe(true);
    expect(isOneTooManyBelowMin({ belowMinOfSubnetAndTorrent: 1, isLocal: true }, policy)).toBe(false);
  });

  test('confirmations by value', () => {
    const needed = [1n, 250_000n, 250_001n, 1_000_000n, 1_000_001n].map((value) => confirmationsNeeded(value, policy));
    expect(needed).toEqual([1, 1, 2, 2, 3]);
  });
});

describe('what a sale costs on chain, at the default price', () => {
  // gross, pieces, piece length in KiB; then per fee rate: per cent lost to fees, per cent of pieces before kMin
  const percent = (part: number, whole: number): number => Math.ceil((100 * part) / whole - 0.5);
  const RATES = [300n, 1000n, 3000n, 5000n, 10_000n];
  test.each([
    [6909n, 987, 128, 7n, ['6 (13)', '8 (14)', '23 (27)', '36 (39)', '67 (71)']],
    [6144n, 1024, 1024, 6n, ['6 (15)', '9 (16)', '26 (30)', '40 (44)', '75 (80)']],
    [25_600n, 2560, 4096, 10n, ['2 (4)', '2 (4)', '6 (7)', '10 (11)', '18 (19)']],
    [108_800n, 3200, 16_384, 34n, ['0 (1)', '1 (1)', '1 (2)', '2 (2)', '4 (4)']],
  ])('%s satoshi', (gross, pieces, kib, priceSat, expected) => {
    const rows = RATES.map((rate) => {
      // The treasury waits for a quiet hour, here 2 sat/vB.
      const estimates = { sixBlockSatPerKvb: rate, quiet24hSatPerKvb: rate < 2000n ? rate : 2000n };
      const economics = saleEconomics({ pieces, pieceLengthBytes: kib * 1024, priceSat }, estimates, policy)!;
      expect(economics.grossSat).toBe(gross);
      const fees = Number(economics.settlementFeeSat + economics.sweepCostSat);
      return `${percent(fees, Number(gross))} (${percent(economics.kMin, pieces)})`;
    });
    expect(rows).toEqual(expected);
  });

  test('price per GiB, and nothing for a free torrent', () => {
    const sale = { pieces: 987, pieceLengthBytes: 128 * 1024, priceSat: 7n };
    expect(saleEconomics(sale, {}, policy)?.satPerGib).toBe(57_344n);
    expect(saleEconomics({ ...sale, priceSat: 0n }, {}, policy)).toBeUndefined();
  });
});
