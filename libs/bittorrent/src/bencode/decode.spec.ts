import bencode from 'bencode';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBencode, type BencodeValue } from './decode.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function codeOf(text: string): string {
  const decoded = decodeBencode(bytes(text));
  return decoded.ok ? 'ok' : decoded.error.code;
}

function plain(value: BencodeValue): unknown {
  switch (value.type) {
    case 'integer':
      return value.value;
    case 'string':
      return Buffer.from(value.value).toString('hex');
    case 'list':
      return value.value.map(plain);
    case 'dictionary':
      return Object.fromEntries([...value.value].map(([key, item]) => [key, plain(item)]));
  }
}

describe('decodeBencode', () => {
  it.each([
    ['', 'truncated'],
    ['i12', 'truncated'],
    ['ie', 'malformed'],
    ['i-e', 'malformed'],
    ['i01e', 'malformed'],
    ['i-0e', 'malformed'],
    ['i1.5e', 'malformed'],
    ['i99999999999999999999e', 'number-too-large'],
    ['5:abc', 'truncated'],
    ['-3:abc', 'malformed'],
    ['l-3:abc', 'malformed'],
    ['99999999999999999:a', 'number-too-large'],
    ['l', 'truncated'],
    ['d', 'truncated'],
    ['d1:a', 'truncated'],
    ['di1ei2ee', 'malformed'],
    ['d1:ai1e1:ai2ee', 'duplicate-key'],
    ['i1ei2e', 'trailing-bytes'],
    ['l'.repeat(1000), 'too-deep'],
    ['x', 'malformed'],
    ['i0e', 'ok'],
    ['i-7e', 'ok'],
    ['0:', 'ok'],
    ['d2:ccl1:aee', 'ok'],
  ])('reads %j as %s', (text, code) => expect(codeOf(text)).toBe(code));

  it('bounds the number of values', () => {
    const decoded = decodeBencode(bytes(`l${'0:'.repeat(100)}e`), { maxDepth: 4, maxValues: 50 });
    expect(decoded).toMatchObject({ ok: false, error: { code: 'too-many-values' } });
  });

  it('tells where each value stood', () => {
    const decoded = decodeBencode(bytes('d4:infod1:xi1eee'));
    const info = decoded.ok && decoded.value.type === 'dictionary' ? decoded.value.value.get('info') : undefined;
    expect([info?.start, info?.end]).toEqual([7, 15]);
  });

  it('reads what another encoder writes', () => {
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.maxSafeInteger().filter((n) => !Object.is(n, -0)),
        fc.string({ unit: 'binary-ascii' }),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(fc.string({ unit: 'binary-ascii', minLength: 1 }), tie('value'), {
          maxKeys: 5,
          noNullPrototype: true,
        }),
      ),
    })).value;
    const asDecoded = (value: unknown): unknown => {
      if (typeof value === 'string') return Buffer.from(value, 'latin1').toString('hex');
      if (Array.isArray(value)) return value.map(asDecoded);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asDecoded(item)]));
    };
    fc.assert(
      fc.property(tree, (value) => {
        const decoded = decodeBencode(bencode.encode(value));
        expect(decoded.ok && plain(decoded.value)).toEqual(asDecoded(value));
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    const digits = fc.constantFrom(...Buffer.from('ilde:-0123456789a'));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.array(digits, { maxLength: 200 })), (input) => {
        decodeBencode(Uint8Array.from(input));
      }),
    );
  });
});
