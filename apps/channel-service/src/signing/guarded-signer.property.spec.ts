import {
  bestEcdsa,
  p2pkhScript,
  prepareSettlement,
  signSettlement,
  type ChannelParameters,
} from '@seedfleet/payment-channel';
import { policyWith } from '@seedfleet/policy';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { channelParameters } from '../channels/parameters.js';
import { SeedSigner, type ChildOrder, type SettlementOrder } from '../keys/signer.js';
import { BUYER_PRIVATE_KEY, exampleRow } from '../testing/rows.js';
import { GuardedSigner, type SigningLimits } from './guarded-signer.js';
import type { SigningEntry } from './log-lines.js';
import { SignedBefore } from './signed-before.js';

const ecdsa = bestEcdsa();
const policy = policyWith();
const cold = p2pkhScript(new Uint8Array(20).fill(9));
const destination = { script: (index: number | null) => (index === null ? cold : undefined) };
const rules = { childFeePercent: 80n, treasuryFeePercent: 10n, destination };
const seed = new SeedSigner(new Uint8Array(32).fill(7), 'regtest', ecdsa, rules);
const path = { epoch: 1, index: 5 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let log: SigningEntry[];
let now: number;
let signer: GuardedSigner;
beforeEach(() => {
  log = [];
  now = 0;
  signer = guarded();
});

const LIMITS: SigningLimits = { ...policy.signer, settlementsPerMinute: 10_000, childrenPerMinute: 10_000 };

function guarded(limits: Partial<SigningLimits> = {}, lowerPaymentsUntilMs = 0, unsureSignUntilMs = 0): GuardedSigner {
  const made = new GuardedSigner(seed, {
    limits: { ...LIMITS, ...limits },
    now: () => now,
    lowerPaymentsUntilMs,
    unsureForMs: DAY_MS,
    unsureSignUntilMs,
  });
  made.writeTo({
    append: (entry) => Promise.resolve(void log.push(entry)),
    settled: () => Promise.resolve(),
  });
  return made;
}

/** One that has read what another has written. */
function restarted(
  limits: Partial<SigningLimits> = {},
  lowerPaymentsUntilMs = 0,
  unsureSignUntilMs = 0,
): GuardedSigner {
  const next = guarded(limits, lowerPaymentsUntilMs, unsureSignUntilMs);
  const before = new SignedBefore();
  for (const entry of log) before.note(entry, now);
  next.recall(before);
  return next;
}

async function ourChannel(at = path, change: Partial<ChannelParameters> = {}): Promise<ChannelParameters> {
  const parameters = channelParameters(exampleRow(), 'regtest');
  if (parameters === null) throw new Error('the example is funded');
  const { publicKey, payoutKeyHash } = await seed.publicKey(at);
  return { ...parameters, sellerPublicKey: publicKey, sellerKeyHash: payoutKeyHash, ...change };
}

async function orderFor(k: number, at = path, change: Partial<ChannelParameters> = {}): Promise<SettlementOrder> {
  const channel = await ourChannel(at, change);
  const buyerSignature = signSettlement(prepareSettlement(channel), k, BUYER_PRIVATE_KEY, ecdsa);
  return { path: at, channel, k, buyerSignature };
}

// Paid for with a sum that no other price near it makes too.
const K = 901;
const earnedSat = 901n * 7n - 450n;

async function settled(at = path): Promise<Uint8Array> {
  const signed = await signer.signSettlement(await orderFor(K, at));
  if (!signed.ok) throw new Error(signed.code);
  return signed.transaction.bytes;
}

async function childOf(transaction: Uint8Array, feeSat: bigint): Promise<ChildOrder> {
  return { settlement: { path, transaction, vout: 1 }, channel: await ourChannel(), coins: [], feeSat };
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = new Uint8Array(bytes);
  const place = (at >> 3) % copy.length;
  copy[place] = (copy[place] ?? 0) ^ (1 << (at & 7));
  return copy;
};

const not0 = (range: number) => fc.integer({ min: -range, max: range }).filter((by) => by !== 0);
const BITS = fc.nat(100_000);
const KEYS = ['buyerPublicKey', 'sellerPublicKey', 'buyerKeyHash', 'sellerKeyHash'] as const;

/** An order that is one step beside a good one. */
const beside = fc.oneof(
  fc.tuple(fc.constant('k' as const), not0(600)),
  fc.tuple(fc.constantFrom('index' as const, 'epoch' as const), fc.integer({ min: 1, max: 1_000 })),
  fc.tuple(fc.constantFrom('priceSat' as const, 'settlementFeeSat' as const, 'fundingValueSat' as const), not0(3)),
  fc.tuple(fc.constant('lockUnits' as const), fc.integer({ min: 1, max: 100 })),
  fc.tuple(fc.constantFrom('outpoint' as const, 'buyerSignature' as const, ...KEYS), BITS),
);

function changed(good: SettlementOrder, [what, by]: [string, number]): SettlementOrder {
  const { channel } = good;
  switch (what) {
    case 'k':
      return { ...good, k: Math.max(0, good.k + by) };
    case 'index':
    case 'epoch':
      return { ...good, path: { ...path, [what]: path[what] + by } };
    case 'priceSat':
    case 'settlementFeeSat':
    case 'fundingValueSat':
      return { ...good, channel: { ...channel, [what]: channel[what] + BigInt(by) } };
    case 'lockUnits':
      return { ...good, channel: { ...channel, lockUnits: channel.lockUnits + by } };
    case 'outpoint': {
      const txid = flipped(channel.fundingOutpoint.txid, by);
      return { ...good, channel: { ...channel, fundingOutpoint: { ...channel.fundingOutpoint, txid } } };
    }
    case 'buyerSignature':
      return { ...good, buyerSignature: flipped(good.buyerSignature, by) };
    default: {
      const key = KEYS.find((each) => each === what);
      if (key === undefined) throw new Error(what);
      return { ...good, channel: { ...channel, [key]: flipped(channel[key], by) } };
    }
  }
}

/**
 * A bit of the outpoint or of the outputs: the others, as those of the signatures, make another transaction too, which settles
 * the same channel, and which nobody can have broadcast.
 */
const inDuty = (bytes: number, at: number): number => {
  const outputsFrom = bytes - 4 - 2 * 34 - 1;
  const places = [
    ...Array.from({ length: 36 }, (_, n) => 5 + n),
    ...Array.from({ length: 69 }, (_, n) => outputsFrom + n),
  ];
  return ((places[(at >> 3) % places.length] ?? 0) << 3) | (at & 7);
};

/** What neither the outputs nor our keys show. */
const isSameSettlement = (what: string): boolean =>
  ['k', 'index', 'epoch', 'lockUnits', 'buyerPublicKey', 'buyerSignature'].includes(what);

describe('a signer with a log of its own', () => {
  it('signs no settlement of which anything is other than the buyer signed it for our key', async () => {
    const good = await orderFor(500);
    await fc.assert(
      fc.asyncProperty(beside, async (change) => {
        expect(await signer.signSettlement(changed(good, change))).toMatchObject({ ok: false });
        expect(log).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(await signer.signSettlement(good)).toMatchObject({ ok: true });
    expect(log).toMatchObject([{ kind: 'settlement', path: '1/5', k: 500 }]);
  });

  it('gives the same order the same transaction, also after a restart, and writes it down once', async () => {
    const order = await orderFor(500);
    const first = await signer.signSettlement(order);
    expect(await signer.signSettlement(order)).toEqual(first);
    signer = restarted();
    expect(await signer.signSettlement(order)).toEqual(first);
    if (!first.ok) throw new Error(first.code);
    const child = await childOf(first.transaction.bytes, 300n);
    const paid = await signer.signChild(child);
    expect(paid).toMatchObject({ ok: true });
    expect(await restarted().signChild(child)).toEqual(paid);
    expect(log.map(({ kind }) => kind)).toEqual(['settlement', 'child']);
  });

  it('settles one channel with one key, whatever both sides signed', async () => {
    expect(await signer.signSettlement(await orderFor(500))).toMatchObject({ ok: true });
    const other = { txid: new Uint8Array(32).fill(1), index: 0 };
    for (const change of [{ fundingOutpoint: other }, { settlementFeeSat: 460n }, { fundingValueSat: 7_510n }]) {
      const order = await orderFor(600, path, change);
      expect(await signer.signSettlement(order)).toEqual({ ok: false, code: 'path-used-otherwise' });
      expect(await restarted().signSettlement(order)).toEqual({ ok: false, code: 'path-used-otherwise' });
    }
    // Neither do two at once get by.
    const fresh = { epoch: 1, index: 6 };
    const rivals = [await orderFor(500, fresh), await orderFor(500, fresh, { fundingOutpoint: other })];
    const both = await Promise.all(rivals.map((order) => signer.signSettlement(order)));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('signs payments that rise, whatever order they are asked in; lower ones only while it is told to', async () => {
    const ks = fc.array(fc.integer({ min: 143, max: 990 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(ks, fc.nat(8), async (asked, restart) => {
        log = [];
        signer = guarded();
        let highest = 0;
        for (const [place, k] of asked.entries()) {
          if (place === restart) signer = restarted();
          const signed = await signer.signSettlement(await orderFor(k));
          if (k < highest) expect(signed).toEqual({ ok: false, code: 'payment-below-signed' });
          else expect(signed).toMatchObject({ ok: true });
          highest = Math.max(highest, k);
        }
        expect(log).toHaveLength(new Set(log.map((entry) => entry.kind === 'settlement' && entry.k)).size);
        const lower = await orderFor(highest - 1);
        now = 1;
        expect(await restarted({}, 2).signSettlement(lower)).toMatchObject({ ok: true });
        expect(await restarted({}, 1).signSettlement(lower)).toMatchObject({ ok: false });
        now = 0;
      }),
      { numRuns: 30 },
    );
  });

  it('never signs below what it signed after a copy was taken of its log, but where its operator vouches for that', async () => {
    const restored = { kind: 'restored' } as const;
    const PAYMENTS = fc.uniqueArray(fc.integer({ min: 130, max: 900 }), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(PAYMENTS, fc.nat(5), async (payments, copied) => {
        now = 0;
        log = [];
        signer = guarded();
        const rising = payments.toSorted((one, other) => one - other);
        for (const k of rising) await signer.signSettlement(await orderFor(k));
        const last = log.at(-1);
        const known = rising[Math.min(copied, rising.length) - 1];
        log = [...log.slice(0, copied), restored];
        for (const later of [0, DAY_MS - 1]) {
          signer = restarted();
          now = later;
          // What the copy has is given again; all else would be a guess.
          for (const k of rising) {
            const asked = signer.signSettlement(await orderFor(k));
            if (k === known) expect(await asked).toMatchObject({ ok: true });
            else if (known !== undefined && k < known)
              expect(await asked).toMatchObject({ code: 'payment-below-signed' });
            else await expect(asked).rejects.toMatchObject({ code: 'log-restored' });
          }
          expect(log.at(-1)).toEqual(restored);
          now = 0;
        }
        // Vouched for where it was put back: nothing waits.
        const kept = log;
        log = [...log.slice(0, -1), { ...restored, sure: true }];
        expect(await restarted().signSettlement(await orderFor(rising.at(-1) ?? 0))).toMatchObject({ ok: true });
        log = kept;
        // Vouched for: the last payment, and from then on none below it, whoever vouches.
        const highest = rising.at(-1) ?? 0;
        signer = restarted({}, 0, 1);
        expect(await signer.signSettlement(await orderFor(highest))).toMatchObject({ ok: true });
        if (copied < rising.length) expect(log.at(-1)).toEqual(last);
        now = 1;
        for (const again of [signer, restarted()]) {
          const below = await again.signSettlement(await orderFor(rising[0] ?? 0));
          expect(below).toEqual({ ok: false, code: 'payment-below-signed' });
        }
        // A day later the refunds of all that is not known are mature.
        now = 0;
        signer = restarted();
        now = DAY_MS;
        const fresh = await orderFor(500, { epoch: 1, index: 9 });
        expect(await signer.signSettlement(fresh)).toMatchObject({ ok: true });
      }),
      { numRuns: 25 },
    );
  });

  it('signs nothing any more with a key of which it remembers that it is over', async () => {
    await signer.signSettlement(await orderFor(500));
    const before = new SignedBefore();
    for (const entry of log) before.note(entry, 0);
    before.endBefore(1);
    signer = guarded({}, DAY_MS);
    signer.recall(SignedBefore.of(before.written()));
    const other = { txid: new Uint8Array(32).fill(1), index: 0 };
    for (const order of [
      await orderFor(500),
      await orderFor(600),
      await orderFor(500, path, { fundingOutpoint: other }),
    ]) {
      expect(await signer.signSettlement(order)).toEqual({ ok: false, code: 'path-over' });
    }
    expect(await signer.signSettlement(await orderFor(500, { epoch: 1, index: 6 }))).toMatchObject({ ok: true });
  });

  it('gives no signature that is not written down, not even when asked again', async () => {
    const full = (): Promise<never> => Promise.reject(new Error('the disk is full'));
    signer.writeTo({ append: full, settled: full });
    await expect(signer.signSettlement(await orderFor(500))).rejects.toThrow('the disk is full');
    await expect(signer.signSettlement(await orderFor(500))).rejects.toThrow('the disk is full');
  });

  it('makes children of settlements only, for fees within its rules', async () => {
    const transaction = await settled();
    const limitSat = (earnedSat * 80n) / 100n;
    const good = await childOf(transaction, limitSat);
    const otherChannel = await ourChannel({ epoch: 1, index: 6 });
    await fc.assert(
      fc.asyncProperty(fc.bigInt(1n, 1_000_000n), BITS, beside, async (more, at, change) => {
        const { channel } = changed({ path, channel: good.channel, k: K, buyerSignature: transaction }, change);
        const { settlement } = good;
        const attempts: ChildOrder[] = [
          { ...good, feeSat: limitSat + more },
          { ...good, feeSat: -more },
          { ...good, feeSat: 0n },
          { ...good, settlement: { ...settlement, vout: 0 } },
          { ...good, settlement: { ...settlement, path: { epoch: 1, index: 6 } } },
          { ...good, channel: otherChannel },
          { ...good, coins: [{ ...settlement, path: { epoch: 1, index: 6 } }] },
          { ...good, settlement: { ...settlement, transaction: flipped(transaction, inDuty(transaction.length, at)) } },
          ...(isSameSettlement(change[0]) ? [] : [{ ...good, channel }]),
        ];
        for (const attempt of attempts) expect(await signer.signChild(attempt)).toMatchObject({ ok: false });
        expect(log).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
    const child = await signer.signChild(good);
    expect(child).toMatchObject({ ok: true, outputsSat: [earnedSat - limitSat] });
    // A child's output is ours, and no settlement's: it can't be eaten up by children of children.
    if (!child.ok) throw new Error(child.code);
    const next = { path, transaction: child.transaction.bytes, vout: 0 };
    const grandchild = { ...good, settlement: next, feeSat: 300n };
    expect(await signer.signChild(grandchild)).toEqual({ ok: false, code: 'not-a-settlement' });
  });

  it('sweeps to its destination and splits to its own keys, within their fee', async () => {
    const transaction = await settled();
    const limitSat = (earnedSat * 10n) / 100n;
    const sweep = { coins: [{ path, transaction, vout: 1 }], feeSat: limitSat, index: null };
    await fc.assert(
      fc.asyncProperty(fc.bigInt(1n, 1_000_000n), fc.integer({ min: 0, max: 4 }), async (more, vout) => {
        now += HOUR_MS;
        for (const feeSat of [limitSat + more, -more, 0n]) {
          expect(await signer.signSweep({ ...sweep, feeSat })).toMatchObject({ ok: false });
          expect(await signer.signSplit({ ...sweep, feeSat, count: 1, valueSat: 1_000n })).toMatchObject({ ok: false });
        }
        const others = vout === 1 ? [] : [{ path, transaction, vout }];
        expect(await signer.signSweep({ coins: others, feeSat: 500n, index: null })).toMatchObject({ ok: false });
        const foreign = [{ path: { epoch: 1, index: vout + 6 }, transaction, vout: 1 }];
        expect(await signer.signSweep({ coins: foreign, feeSat: 500n, index: null })).toMatchObject({ ok: false });
      }),
      { numRuns: 20 },
    );
    expect(log).toHaveLength(1);
    expect(await signer.signSweep({ ...sweep, index: 0 })).toEqual({ ok: false, code: 'no-destination' });
    expect(await signer.signSweep(sweep)).toMatchObject({ ok: true, outputsSat: [earnedSat - limitSat] });
  });

  it('gives fees of a day and no more, over restarts too; a child that takes another’s place counts by what it adds', async () => {
    const transaction = await settled();
    const sweep = (feeSat: bigint) => ({ coins: [{ path, transaction, vout: 1 }], feeSat, index: null });
    const limits = { feeSatPerDay: 1_000n };
    signer = restarted(limits);
    expect(await signer.signSweep(sweep(500n))).toMatchObject({ ok: true });
    // The same again is the same, and paid for.
    expect(await signer.signSweep(sweep(500n))).toMatchObject({ ok: true });
    expect(await signer.signSweep(sweep(501n))).toEqual({ ok: false, code: 'fees-of-the-day-spent' });
    for (const feeSat of [400n, 700n, 1_000n]) {
      expect(await signer.signChild(await childOf(transaction, feeSat))).toMatchObject({ ok: true });
    }
    expect(await signer.signChild(await childOf(transaction, 1_001n))).toEqual({
      ok: false,
      code: 'fees-of-the-day-spent',
    });
    signer = restarted(limits);
    expect([signer.feesUsed('child'), signer.feesUsed('treasury')]).toEqual([1, 0.5]);
    expect(await signer.signChild(await childOf(transaction, 1_001n))).toMatchObject({ ok: false });
    expect(await signer.signSweep(sweep(501n))).toMatchObject({ ok: false });
    now += DAY_MS;
    expect(await signer.signSweep(sweep(501n))).toMatchObject({ ok: true });
  });

  it('is asked so often and no more', async () => {
    const order = await orderFor(500);
    signer = guarded({ settlementsPerMinute: 3, lookupsPerMinute: 2 });
    for (let asked = 0; asked < 3; asked += 1) expect(await signer.signSettlement(order)).toMatchObject({ ok: true });
    await expect(signer.signSettlement(order)).rejects.toMatchObject({ code: 'rate-limited' });
    now += 20_000;
    expect(await signer.signSettlement(order)).toMatchObject({ ok: true });
    await expect(signer.signSettlement(order)).rejects.toMatchObject({ code: 'rate-limited' });
    await signer.hashAddress('203.0.113.9');
    await signer.publicKey(path);
    await expect(signer.publicKey(path)).rejects.toMatchObject({ code: 'rate-limited' });
  });
});
