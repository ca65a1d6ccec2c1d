import bencode from 'bencode';
import { describe, expect, it } from 'vitest';
import { readForeignExtensions } from './foreign.js';
import { METADATA_PART_BYTES, metadataPart, metadataReject, readMetadataRequest } from './metadata.js';
import { encodePex, readPex } from './pex.js';

describe('a foreign extended handshake', () => {
  it.each([
    [
      { m: { ut_metadata: 3, ut_pex: 1, js_buy: 61 }, p: 6881 },
      { utMetadata: 3, utPex: 1, listenPort: 6881 },
    ],
    [{ m: { ut_metadata: 0, ut_pex: 256 }, p: 70_000 }, {}],
    [{ m: 'x' }, {}],
  ])('%j says %j', (handshake, expected) => {
    expect(readForeignExtensions(bencode.encode(handshake))).toEqual(expected);
  });

  it('may be nonsense', () => {
    expect(readForeignExtensions(Buffer.from('d-3:abce'))).toEqual({});
  });
});

describe('ut_metadata', () => {
  it('is served part by part, and put together again', () => {
    const info = Buffer.alloc(METADATA_PART_BYTES * 2 + 5).map((_, at) => at % 251);
    const parts = [0, 1, 2].map((piece) => {
      expect(readMetadataRequest(bencode.encode({ msg_type: 0, piece }))).toBe(piece);
      const part = metadataPart(info, piece);
      expect(bencode.decode(Buffer.from(part?.head ?? []))).toEqual({ msg_type: 1, piece, total_size: info.length });
      return part?.body ?? Buffer.of();
    });
    expect(Buffer.concat(parts).equals(info)).toBe(true);
    expect(metadataPart(info, 3)).toBeUndefined();
    expect(bencode.decode(Buffer.from(metadataReject(3)))).toEqual({ msg_type: 2, piece: 3 });
  });

  it.each(['d-3:abce', 'd8:msg_typei1e5:piecei0ee', 'd8:msg_typei0e5:piecei-1ee', 'd8:msg_typei0ee', ''])(
    'does not answer %j',
    (payload) => {
      expect(readMetadataRequest(Buffer.from(payload))).toBeUndefined();
    },
  );
});

describe('ut_pex', () => {
  it('carries peers of both families, at most 50 of each', () => {
    const many = Array.from({ length: 60 }, (_, at) => ({ host: `192.0.2.${at}`, port: 1000 + at }));
    const added = [{ host: '2001:db8::1', port: 6881 }, ...many];
    const message = encodePex(added, [{ host: '198.51.100.1', port: 5 }]);
    expect(readPex(message)).toEqual([...many.slice(0, 50), { host: '2001:db8::1', port: 6881 }]);
    const fields = bencode.decode(Buffer.from(message)) as Record<string, Uint8Array>;
    expect([fields['added.f']?.length, fields['added6.f']?.length, fields['dropped']?.length]).toEqual([50, 1, 6]);
  });

  it.each(['d-3:abce', 'le', `d5:added9000:${'x'.repeat(9000)}e`])('is not read from nonsense', (payload) => {
    expect(readPex(Buffer.from(payload))).toBeUndefined();
  });
});
