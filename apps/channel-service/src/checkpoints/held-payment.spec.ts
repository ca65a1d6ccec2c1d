import { createHash } from 'node:crypto';
import { bestEcdsa, signedSettlement, signSettlement, prepareSettlement } from '@seedfleet/payment-channel';
import { keyPairOf } from '@seedfleet/wallet';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TestBuyer } from '../testing/test-buyer.js';
import { heldPayment, isWholeSettlement } from './held-payment.js';

const ecdsa = bestEcdsa();
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const seller = keyPairOf(new Uint8Array(createHash('sha256').update('seller').digest()));
const terms = { priceSat: 1_000n, lockUnits: 20, settlementFeeSat: 500n };
const buyerOf = () =>
  new TestBuyer('regtest', { sellerPublicKey: seller.publicKey, sellerKeyHash: seller.keyHash }, terms, 100_600n);

/** Settlement k of a channel of this buyer, signed by both. */
function settlement(buyer: TestBuyer, fundingTxid: string, k: number): Uint8Array {
  const channel = buyer.parameters(fundingTxid);
  buyer.funded(fundingTxid);
  const ours = signSettlement(prepareSettlement(channel), k, seller.privateKey, ecdsa);
  return signedSettlement(channel, k, buyer.pay(k), ours).bytes;
}

it('takes from a settlement the payment that the buyer signed, whatever else of it is changed, and nothing from others', () => {
  const buyer = buyerOf();
  const txid = digest('funding');
  const channel = buyer.parameters(txid);
  const raws = new Map([2, 50, 100].map((k) => [k, settlement(buyer, txid, k)]));
  fc.assert(
    fc.property(fc.constantFrom(2, 50, 100), fc.nat(), fc.nat({ max: 7 }), (k, place, bit) => {
      const raw = new Uint8Array(raws.get(k) ?? []);
      const whole = heldPayment(raw, channel, ecdsa);
      expect(whole).toMatchObject({ ok: true, k: BigInt(k) });
      expect(isWholeSettlement(raw, channel, ecdsa)).toBe(true);
      raw[place % raw.length]! ^= 1 << bit;
      const changed = heldPayment(raw, channel, ecdsa);
      // A change outside the buyer's signature may leave that good, and then it proves the same payment.
      if (changed.ok) expect([changed.k, changed.signature]).toEqual([BigInt(k), whole.ok ? whole.signature : null]);
      expect(isWholeSettlement(raw, channel, ecdsa)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

it('names what is wrong with what a lying holder shows', () => {
  const buyer = buyerOf();
  const [txid, other] = [digest('funding'), digest('other')];
  const channel = buyer.parameters(txid);
  const stranger = buyerOf();
  const code = (raw: Uint8Array) => {
    const held = heldPayment(raw, channel, ecdsa);
    return held.ok ? 'good' : held.code;
  };
  expect(code(Uint8Array.of(1, 2, 3))).toBe('held-unreadable');
  expect(code(settlement(buyer, other, 50))).toBe('held-other-output');
  expect(code(settlement(stranger, txid, 50))).toBe('held-no-settlement');
  const forged = signedSettlement(channel, 50, buyer.pay(49), buyer.pay(50)).bytes;
  buyer.funded(txid);
  expect(code(forged)).toBe('held-unproven');
  const unsignedBySeller = signedSettlement(channel, 50, buyer.pay(50), buyer.pay(50)).bytes;
  expect(code(unsignedBySeller)).toBe('good');
  expect(isWholeSettlement(unsignedBySeller, channel, ecdsa)).toBe(false);
});
