import { describe, expect, it } from 'vitest';
import { ago, bytes, percentOf, plainName, rate, satoshi, shortHash, sum, until, words } from './format';

describe('figures', () => {
  it('group satoshi of any size without rounding', () => {
    expect(satoshi('0')).toBe('0');
    expect(satoshi('2100000000000001')).toBe('2,100,000,000,000,001');
    expect(satoshi('-1234')).toBe('−1,234');
  });

  it('add satoshi exactly', () => {
    expect(sum('9007199254740993', '1')).toBe(9_007_199_254_740_994n);
    expect(percentOf(1n, 3n)).toBe(33);
    expect(percentOf(1n, 0n)).toBe(0);
  });

  it('write sizes and times in their largest unit', () => {
    expect(bytes(999)).toBe('999 B');
    expect(bytes(362_017)).toBe('353.5 KiB');
    expect(ago('2026-01-01T00:00:00Z', '2026-01-01T00:00:42Z')).toBe('42 s');
    expect(ago('2026-01-01T00:00:10Z', '2026-01-01T00:00:00Z')).toBe('0 s');
    expect(until('2026-01-01T02:00:00Z', '2026-01-01T00:00:00Z')).toBe('in 2 h');
    expect(until('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z')).toBe('passed');
  });

  it('shorten hashes and speak codes', () => {
    expect(shortHash('d2474e86c95b19b8bcfdb92bc12c9d44667cfa36')).toBe('d2474e86…fa36');
    expect(words('funding-seen')).toBe('funding seen');
    expect(rate('1375.25', 1)).toBe('1,375.3');
  });

  it('show what a name hides', () => {
    expect(plainName('Les Misérables – ‌خانه‌ 👩‍👧')).toBe('Les Misérables – ‌خانه‌ 👩‍👧');
    expect(plainName('\u202Egnp.exe\nx')).toBe('\u{FFFD}gnp.exe\u{FFFD}x');
    expect(plainName(' \t')).not.toBe('');
    expect(plainName('   ')).toBe('(blank name)');
  });
});
