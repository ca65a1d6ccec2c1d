import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonExact } from './json-exact.js';

describe('parseJsonExact', () => {
  it('keeps the digits of amounts', () => {
    expect(parseJsonExact('{"value":0.30000000,"fee":-0.00000001,"max":20999999.99999999}')).toEqual({
      value: '0.30000000',
      fee: '-0.00000001',
      max: '20999999.99999999',
    });
  });

  it('keeps exponents and integers beyond the safe range as text', () => {
    expect(parseJsonExact('[1e-8, 9007199254740993, 42, -7]')).toEqual(['1e-8', '9007199254740993', 42, -7]);
  });

  it('leaves numbers inside strings alone, also behind escapes', () => {
    const value = { a: '0.5', b: 'say \\"0.5\\"', c: '\\\\', d: '1e9 "quoted" 2.5' };
    expect(parseJsonExact(JSON.stringify(value))).toEqual(value);
  });

  it('throws on what is not JSON', () => {
    expect(() => parseJsonExact('{"a":')).toThrow(SyntaxError);
    expect(() => parseJsonExact('"open')).toThrow(SyntaxError);
  });

  it('agrees with JSON.parse on any document without inexact numbers', () => {
    const noDoubles = fc
      .jsonValue({ depthSize: 'medium' })
      .filter((value) => !/[\d][.eE]|\d{15}/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(noDoubles, (value) => {
        const text = JSON.stringify(value);
        expect(parseJsonExact(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
