import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedBytes, fixedBytes, paymentPartition, PAYMENT_PARTITIONS, satoshi, u64 } from './index.js';

describe('codecs', () => {
  it('carry every satoshi amount unchanged', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }), (amount) => {
        expect(satoshi.decode(satoshi.encode(amount))).toBe(amount);
      }),
    );
  });

  it.each(['-1', '1.5', '01', '', '2100000000000001', '1e3', ' 1', '٣'])('refuse %j as satoshi', (text) => {
    expect(satoshi.safeDecode(text).success).toBe(false);
  });

  it('refuse a number where a decimal string is due', () => {
    expect(satoshi.safeDecode(5 as unknown as string).success).toBe(false);
    expect(u64.safeDecode('18446744073709551616').success).toBe(false);
  });

  it('carry bytes unchanged and refuse another length', () => {
    const key = fixedBytes(33);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 33, maxLength: 33 }), (bytes) => {
        expect([...key.decode(key.encode(bytes))]).toEqual([...bytes]);
      }),
    );
    expect(key.safeDecode('00'.repeat(32)).success).toBe(false);
    expect(boundedBytes(2).safeDecode('000000').success).toBe(false);
    expect(boundedBytes(2).safeDecode('0').success).toBe(false);
  });

  it('keep a channel in one partition', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        const partition = paymentPartition(id);
        expect(partition).toBe(paymentPartition(id));
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(PAYMENT_PARTITIONS);
      }),
    );
  });
});
