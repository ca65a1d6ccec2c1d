import fc from 'fast-check';
import { expect, it } from 'vitest';
import { settlementOf, type Settlement } from '../testing/settlement-bytes.js';
import { earnedBy, refusal } from './worth.js';

const sat = fc.integer({ min: 0, max: 3 });
const settlement = fc.record({
  funding: fc.constantFrom(1, 2),
  changeSat: sat,
  earnedSat: fc.option(sat, { freq: 4 }),
  buyer: fc.constantFrom(7, 7, 7, 8),
  seller: fc.constantFrom(9, 9, 9, 10),
});

it('keeps what leaves the buyer less, whatever the seller gets of it, and what can not be compared', () => {
  fc.assert(
    fc.property(settlement, settlement, (one: Settlement, other: Settlement) => {
      const [held, offered] = [settlementOf(one), settlementOf(other)];
      const pays = ({ buyer, seller, earnedSat }: Settlement) => [buyer, earnedSat === null ? null : seller].join();
      const code = refusal(held, offered, null);
      if (one.funding !== other.funding) expect(code).toBeNull();
      else if (held.txid === offered.txid) expect(code).toBeNull();
      else if (one.buyer === other.buyer && other.changeSat > one.changeSat) expect(code).toBe('pays-less');
      else expect(code).toBe(pays(one) === pays(other) ? null : 'pays-others');
      expect(refusal(held, offered, held.txid)).toBeNull();
    }),
    { numRuns: 1_000 },
  );
});

it('keeps nothing that is damaged: one bit more or less in what is held, and it gives way', () => {
  const later = settlementOf({ funding: 1, changeSat: 10, earnedSat: 80, buyer: 7, seller: 9 });
  const earlier = settlementOf({ funding: 1, changeSat: 50, earnedSat: 40, buyer: 7, seller: 9 });
  expect(refusal(later, earlier, null)).toBe('pays-less');
  fc.assert(
    fc.property(fc.nat({ max: later.raw.length - 1 }), fc.nat({ max: 7 }), (place, bit) => {
      const raw = Uint8Array.from(later.raw);
      raw[place]! ^= 1 << bit;
      expect(refusal({ ...later, raw }, earlier, null)).toBeNull();
      // Nor is anything given for what is damaged.
      expect(refusal(earlier, { ...later, raw }, null)).toBe('pays-others');
    }),
  );
});

it('says what a settlement brings in, and nothing of what is none', () => {
  const { raw } = settlementOf({ funding: 1, changeSat: 10, earnedSat: 80, buyer: 7, seller: 9 });
  expect(earnedBy(raw)).toEqual({ earnedSat: '80', earnedScript: `76a914${'09'.repeat(20)}88ac` });
  const unpaid = settlementOf({ funding: 1, changeSat: 10, earnedSat: null, buyer: 7, seller: 9 });
  for (const other of [unpaid.raw, raw.subarray(1), null]) expect(earnedBy(other)).toEqual({});
});
