import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { boundedBytes, channelId, paymentNumber } from './codecs.js';
import { MAX_BATCH_ENTRIES, MAX_SIGNATURE_BYTES, paymentEntries } from './payment-entries.js';

/** The same entries, member by member. */
const bySchema = z
  .array(z.object({ channelId, k: paymentNumber, signature: boundedBytes(MAX_SIGNATURE_BYTES) }))
  .max(MAX_BATCH_ENTRIES);

const bytes = fc.uint8Array({ maxLength: MAX_SIGNATURE_BYTES });
const payment = fc.record({ channelId: fc.uuid(), k: fc.maxSafeNat(), signature: bytes });

it('writes and reads payments as the schema of their members does', () => {
  fc.assert(
    fc.property(fc.array(payment, { maxLength: 20 }), (payments) => {
      const text = JSON.stringify(paymentEntries.encode(payments));
      expect(text).toBe(JSON.stringify(bySchema.encode(payments)));
      expect(paymentEntries.decode(JSON.parse(text) as z.input<typeof paymentEntries>)).toEqual(payments);
    }),
  );
});

it('takes and refuses what the schema takes and refuses, whatever comes', () => {
  const odd = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(-1, -0, 1.5, 2 ** 53, '1', '', 'AB', 'ab', 'abc', 'xy', 'ab'.repeat(73), 'ab'.repeat(74)),
    fc.constantFrom(
      '00000000-0000-0000-0000-000000000000',
      '4B7D8F9E-0000-4000-8000-000000000001',
      '4b7d8f9e-0000-9000-8000-000000000001',
      ' 4b7d8f9e-0000-4000-8000-000000000001',
    ),
  );
  const good = payment.map((one) => ({ ...one, signature: Buffer.from(one.signature).toString('hex') }));
  const spoilt = fc
    .tuple(good, fc.constantFrom('channelId', 'k', 'signature', 'other'), odd)
    .map(([one, name, value]) => ({
      ...one,
      [name]: value,
    }));
  const one = fc.oneof(good, spoilt, fc.jsonValue());
  const list = fc.oneof({ weight: 9, arbitrary: fc.array<unknown>(one, { maxLength: 4 }) }, fc.jsonValue());
  fc.assert(
    fc.property(list, (value) => {
      const ours = paymentEntries.safeDecode(value as z.input<typeof paymentEntries>);
      const theirs = bySchema.safeDecode(value as z.input<typeof bySchema>);
      expect(ours.success).toBe(theirs.success);
      expect(ours.data).toEqual(theirs.data);
    }),
    { numRuns: 2_000 },
  );
});

it('writes nothing that it would not read', () => {
  const good = { channelId: '4b7d8f9e-0000-4000-8000-000000000001', k: 1, signature: new Uint8Array(72) };
  const many = (count: number) => Array.from({ length: count }, () => good);
  expect(paymentEntries.safeEncode(many(MAX_BATCH_ENTRIES)).success).toBe(true);
  expect(paymentEntries.safeEncode(many(MAX_BATCH_ENTRIES + 1)).success).toBe(false);
  for (const bad of [{ k: -1 }, { k: 0.5 }, { channelId: 'none' }, { signature: new Uint8Array(74) }]) {
    expect(paymentEntries.safeEncode([{ ...good, ...bad }]).success).toBe(false);
  }
});
