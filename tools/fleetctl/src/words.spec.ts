import { describe, expect, it } from 'vitest';
import { fields, printable, table } from './table.js';
import { bytes, grouped, moment, percent, short } from './words.js';

describe('figures', () => {
  it('are written for people, and satoshi without rounding', () => {
    expect(grouped('2100000000000001')).toBe('2,100,000,000,000,001');
    expect(grouped('-1234')).toBe('-1,234');
    expect(bytes(362_017)).toBe('353.5 KiB');
    expect(percent(0.999)).toBe('99 %');
    expect(moment('2026-01-02T03:04:05.678Z')).toBe('2026-01-02 03:04:05');
    expect(short('Leaves of Grass', 8)).toBe('Leaves …');
  });
});

describe('a table', () => {
  it('aligns its columns, numbers to the right', () => {
    const text = table(
      [{ title: 'NAME' }, { title: 'SAT', right: true }],
      [
        ['a', '1,000'],
        ['longer', '5'],
      ],
    );
    expect(text).toBe('NAME      SAT\na       1,000\nlonger      5');
  });

  it('lets no control character of a stranger’s torrent reach the terminal', () => {
    expect(printable('a\u001b[31mb\nc\u202ed')).toBe('a\ufffd[31mb\ufffdc\ufffdd');
    expect(fields([['name', 'x\u0007']])).toBe('name: x\ufffd');
  });
});
