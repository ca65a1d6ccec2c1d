import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChannelParameters, Network } from './index.js';
import {
  MAX_MONEY_SAT,
  NETWORKS,
  bestEcdsa,
  channelAmounts,
  checkFundingOutput,
  checkParameters,
  derSignature,
  encodeRedeemScript,
  feeSat,
  fromHex,
  fundingScript,
  hash160,
  isCollectable,
  kCap,
  kMin,
  kPay,
  lockPush,
  netSat,
  paidSat,
  parseDerSignature,
  parseLockPush,
  parseRedeemScript,
  prepareSettlement,
  raw,
  redeemScriptOf,
  settlementDigest,
  signSettlement,
  timeLock,
  toHex,
  unsignedContract,
  unsignedSettlement,
  verifyPayment,
  wasmEcdsa,
} from './index.js';

const ecdsa = bestEcdsa();
const buyerKey = new Uint8Array(32).fill(0x11);
const sellerKey = new Uint8Array(32).fill(0x22);
const buyerPublicKey = ecdsa.publicKeyFor(buyerKey)!;
const sellerPublicKey = ecdsa.publicKeyFor(sellerKey)!;

function channelWith(change: Partial<ChannelParameters> = {}): ChannelParameters {
  return {
    network: 'regtest',
    priceSat: 7n,
    lockUnits: 20,
    settlementFeeSat: 450n,
    fundingValueSat: 7509n,
    fundingOutpoint: { txid: new Uint8Array(32).fill(0xab), index: 1 },
    buyerPublicKey,
    sellerPublicKey,
    buyerKeyHash: hash160(buyerPublicKey),
    sellerKeyHash: hash160(sellerPublicKey),
    ...change,
  };
}

const anyNetwork = fc.constantFrom<Network>(...NETWORKS);
const money = (max: bigint) => fc.bigInt({ min: 1n, max });

describe('amounts', () => {
  test('each limit is the last or first payment of its kind', () => {
    fc.assert(
      fc.property(money(MAX_MONEY_SAT), money(10n ** 9n), money(10n ** 9n), (fundingValueSat, priceSat, fee) => {
        const result = channelAmounts({ fundingValueSat, priceSat, settlementFeeSat: fee });
        if (!result.ok) throw new Error(result.code);
        const { kMin: first, kPay: last, kCap: cap } = result.amounts;
        expect(isCollectable(first, priceSat, fee)).toBe(true);
        expect(isCollectable(first - 1, priceSat, fee)).toBe(false);
        expect(netSat(first, priceSat, fee)).toBeGreaterThanOrEqual(547n);
        expect(paidSat(last, priceSat)).toBeLessThanOrEqual(fundingValueSat);
        expect(paidSat(last + 1, priceSat)).toBeGreaterThan(fundingValueSat);
        if (cap > 0) expect(fundingValueSat - paidSat(cap, priceSat)).toBeGreaterThanOrEqual(546n);
        expect(fundingValueSat - paidSat(cap + 1, priceSat)).toBeLessThan(546n);
      }),
    );
  });

  test('zero price and impossible amounts are named, never divided by', () => {
    expect(kMin(0n, 450n)).toEqual({ ok: false, code: 'price-zero' });
    expect(kPay(1000n, 0n)).toEqual({ ok: false, code: 'price-zero' });
    expect(kCap(1000n, -1n)).toEqual({ ok: false, code: 'price-out-of-range' });
    expect(kMin(1n, MAX_MONEY_SAT + 1n)).toEqual({ ok: false, code: 'settlement-fee-out-of-range' });
    expect(kPay(MAX_MONEY_SAT + 1n, 1n)).toEqual({ ok: false, code: 'funding-value-out-of-range' });
    expect(kPay(0n, 1n)).toEqual({ ok: false, code: 'funding-value-out-of-range' });
    expect(kCap(545n, 1n)).toEqual({ ok: true, k: 0 });
    expect(kCap(MAX_MONEY_SAT, 1n)).toEqual({ ok: true, k: Number(MAX_MONEY_SAT - 546n) });
  });

  test('fees round up, 1 kB being 1000 bytes', () => {
    expect([feeSat(347, 1000n), feeSat(1, 1n), feeSat(0, 5000n), feeSat(141, 1024n)]).toEqual([347n, 1n, 0n, 145n]);
  });
});

test('checkParameters names each fault', () => {
  const offCurve = Uint8Array.of(2, ...new Uint8Array(32).fill(0xff));
  const faults: [Partial<ChannelParameters>, string | undefined][] = [
    [{}, undefined],
    [{ priceSat: -1n }, 'price-out-of-range'],
    [{ lockUnits: 65536 }, 'lock-out-of-range'],
    [{ lockUnits: 1.5 }, 'lock-out-of-range'],
    [{ settlementFeeSat: MAX_MONEY_SAT + 1n }, 'settlement-fee-out-of-range'],
    [{ fundingValueSat: 0n }, 'funding-value-out-of-range'],
    [{ fundingValueSat: MAX_MONEY_SAT + 1n }, 'funding-value-out-of-range'],
    [{ fundingOutpoint: { txid: new Uint8Array(31), index: 0 } }, 'outpoint-malformed'],
    [{ fundingOutpoint: { txid: new Uint8Array(32), index: 2 ** 32 } }, 'outpoint-malformed'],
    [{ buyerPublicKey: offCurve }, 'buyer-key-off-curve'],
    [{ sellerPublicKey: offCurve }, 'seller-key-off-curve'],
    [{ sellerPublicKey: buyerPublicKey }, 'keys-equal'],
    [{ buyerKeyHash: new Uint8Array(19) }, 'buyer-key-hash-malformed'],
    [{ sellerKeyHash: new Uint8Array(21) }, 'seller-key-hash-malformed'],
  ];
  for (const [change, code] of faults) {
    expect(checkParameters(channelWith(change), ecdsa)).toBe(code);
    expect(checkParameters(channelWith(change), wasmEcdsa)).toBe(code);
  }
});

describe('redeem script', () => {
  test('build and parse are inverse, for both kinds of lock', () => {
    const lock = fc.record({ units: fc.constantFrom('time', 'blocks'), counter: fc.integer({ min: 0, max: 65535 }) });
    fc.assert(
      fc.property(lock, ({ units, counter }) => {
        const script = { sellerPublicKey, buyerPublicKey, lock: { units: units as 'time' | 'blocks', counter } };
        const bytes = encodeRedeemScript(script);
        expect(parseRedeemScript(bytes, ecdsa)).toEqual({ ok: true, script });
        if (units === 'time') expect(bytes.length).toBe(79);
      }),
    );
  });

  test('nothing else is accepted, and nothing throws', () => {
    const valid = redeemScriptOf(channelWith());
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const spoilt = Uint8Array.from(valid);
        spoilt[at]! ^= mask;
        const parsed = parseRedeemScript(spoilt, ecdsa);
        if (parsed.ok) expect(encodeRedeemScript(parsed.script)).toEqual(spoilt);
      }),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 90 }), (bytes) => !parseRedeemScript(bytes, ecdsa).ok));
    for (let end = 0; end < valid.length; end++) expect(parseRedeemScript(valid.slice(0, end), ecdsa).ok).toBe(false);
  });

  test('a padded, negative or oversized lock is not minimal', () => {
    for (const hex of ['0101', '020100', '03ffff80', '0300', '04000040 00'.replace(' ', ''), '4f', '61', '03000080']) {
      expect(parseLockPush(fromHex(hex), 0)).toBeUndefined();
    }
    expect(toHex(lockPush(timeLock(0)))).toBe('03000040');
  });
});

describe('funding output', () => {
  const inputs = [{ txid: new Uint8Array(32).fill(1), index: 0 }];
  const decoy = { script: fundingScript(channelWith({ sellerPublicKey: buyerPublicKey })), valueSat: 1000n };
  const change = { script: fromHex('6a026a73'), valueSat: 0n };

  function funded(paid: Partial<ChannelParameters> = {}, agreed: Partial<ChannelParameters> = {}) {
    const channel = channelWith(paid);
    const commitments = [decoy, { script: fundingScript(channel), valueSat: channel.fundingValueSat }];
    const transaction = raw(unsignedContract(inputs, commitments, change));
    const fundingOutpoint = { txid: fromHex(transaction.txid), index: 1 };
    return checkFundingOutput(transaction.bytes, channelWith({ fundingOutpoint, ...agreed }));
  }

  test('accepts what was agreed, and names each difference', () => {
    expect(funded()).toEqual({ ok: true });
    expect(funded({ lockUnits: 10 })).toEqual({ ok: false, error: { code: 'lock-mismatch', lockUnits: 10 } });
    expect(funded({ fundingValueSat: 7508n })).toEqual({
      ok: false,
      error: { code: 'value-mismatch', valueSat: 7508n },
    });
    const otherKey = ecdsa.publicKeyFor(new Uint8Array(32).fill(0x33))!;
    expect(funded({ buyerPublicKey: otherKey })).toEqual({ ok: false, error: { code: 'script-mismatch' } });
    expect(funded({}, { fundingOutpoint: channelWith().fundingOutpoint })).toEqual({
      ok: false,
      error: { code: 'txid-mismatch' },
    });
  });

  test('looks at the named output only', () => {
    const commitments = [decoy, { script: fundingScript(channelWith()), valueSat: 7509n }];
    const transaction = raw(unsignedContract(inputs, commitments, change));
    const check = (index: number) =>
      checkFundingOutput(
        transaction.bytes,
        channelWith({ fundingOutpoint: { txid: fromHex(transaction.txid), index } }),
      );
    expect(check(0)).toMatchObject({ error: { code: 'script-mismatch' } });
    expect(check(1)).toEqual({ ok: true });
    expect(check(2)).toMatchObject({ error: { code: 'not-p2sh' } });
    expect(check(3)).toEqual({ ok: false, error: { code: 'no-such-output', outputs: 3 } });
  });

  test('bytes that are no transaction', () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(60).fill(0xff), new Uint8Array(500_000)]) {
      expect(checkFundingOutput(bytes, channelWith())).toMatchObject({ error: { code: 'transaction-undecodable' } });
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !checkFundingOutput(bytes, channelWith()).ok));
  });
});

describe('payments', () => {
  test('the prepared digest equals the one of the transaction object, under both rules', () => {
    fc.assert(
      fc.property(
        anyNetwork,
        money(10n ** 12n),
        fc.bigInt({ min: 0n, max: 10n ** 6n }),
        fc.bigInt({ min: 0n, max: 10n ** 5n }),
        fc.nat(2000),
        fc.constantFrom('legacy' as const, 'forkid' as const),
        (network, fundingValueSat, priceSat, settlementFeeSat, asked, rule) => {
          const channel = channelWith({ network, fundingValueSat, priceSat, settlementFeeSat });
          const template = prepareSettlement(channel);
          const most = priceSat === 0n ? asked : Number(fundingValueSat / priceSat);
          for (const k of [Math.min(asked, most), 0, Math.min(1, most)]) {
            expect(toHex(template.digest(k, rule))).toBe(toHex(settlementDigest(channel, k, rule)));
          }
        },
      ),
    );
  });

  test('the seller output appears exactly at kMin', () => {
    const channel = channelWith();
    const outputs = (k: number) => unsignedSettlement(channel, k).bytes.length;
    expect([142, 143].map(outputs)).toEqual([85, 119]);
  });

  const template = prepareSettlement(channelWith());
  const verdict = (k: number, der: Uint8Array) => {
    const [best, wasm] = [verifyPayment(template, k, der, ecdsa), verifyPayment(template, k, der, wasmEcdsa)];
    expect(wasm).toEqual(best);
    return best.ok ? 'ok' : best.code;
  };
  const payment = (k: number) => signSettlement(template, k, buyerKey, ecdsa);

  test('each fault has its code', () => {
    expect(verdict(1, payment(1))).toBe('ok');
    expect(verdict(994, payment(994))).toBe('ok');
    expect(verdict(995, payment(995))).toBe('beyond-k-cap');
    expect(verdict(1073, payment(1))).toBe('beyond-k-pay');
    for (const k of [0, -1, 1.5, 2 ** 53]) expect(verdict(k, payment(1))).toBe('k-out-of-range');
    expect(verdict(2, payment(1))).toBe('invalid-signature');
    expect(verdict(1, payment(2))).toBe('invalid-signature');
    expect(verdict(1, signSettlement(template, 1, sellerKey, ecdsa))).toBe('invalid-signature');
    expect(verdict(1, Uint8Array.of(...payment(1), 1))).toBe('not-strict-der');
    expect(verdict(1, new Uint8Array(64).fill(1))).toBe('not-strict-der');
    const twin = prepareSettlement(channelWith({ network: 'regtest_bitcoin_cash' }));
    expect(verdict(1, signSettlement(twin, 1, buyerKey, ecdsa))).toBe('wrong-network');
    const low = parseDerSignature(payment(1));
    const order = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n;
    const compact = low.ok ? toHex(low.compact) : '';
    const highS = (order - BigInt('0x' + compact.slice(64))).toString(16).padStart(64, '0');
    expect(verdict(1, derSignature(fromHex(compact.slice(0, 64) + highS)))).toBe('high-s');
  });

  test('with price zero every payment number verifies and none is collectable', () => {
    const free = prepareSettlement(channelWith({ priceSat: 0n }));
    expect(verifyPayment(free, 5, signSettlement(free, 5, buyerKey, ecdsa), ecdsa)).toEqual({ ok: true });
    expect(netSat(5, 0n, 0n)).toBe(0n);
  });
});
