import { describe, expect, it } from 'vitest';
import {
  encodeExtendedHandshake,
  MAX_EXTENDED_HANDSHAKE_BYTES,
  readExtendedHandshake,
  type ExtensionVerdict,
} from './extended-handshake.js';
import toy from './fixtures/toy-vectors.json' with { type: 'json' };
import { MESSAGE_ID } from './message-ids.js';

const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
const body = (bencoded: string): Uint8Array => new TextEncoder().encode(bencoded);

const verdict = (bencoded: string): ExtensionVerdict => {
  const handshake = readExtendedHandshake(body(bencoded));
  if (!handshake.ok) throw new Error(handshake.code);
  return handshake.extension;
};

const withVersion = (cc: string): string => toy.install.replace('3:4.0', `${cc.length}:${cc}`);
const install: ExtensionVerdict = { kind: 'install', ids: MESSAGE_ID };

describe('our extended handshake', () => {
  it('is the minimal body of the wire protocol, for install and uninstall', () => {
    expect(text(encodeExtendedHandshake({ kind: 'install' }))).toBe(toy.install);
    expect(text(encodeExtendedHandshake({ kind: 'uninstall' }))).toBe(toy.uninstall);
    expect(toy.install).toHaveLength(238);
    expect(toy.uninstall).toHaveLength(227);
  });

  it('carries further keys in sorted order', () => {
    const bytes = encodeExtendedHandshake({
      kind: 'install',
      topLevel: { v: 'Seedfleet', reqq: 250, yourip: Uint8Array.of(127, 0, 0, 1), e: 0 },
      foreignIds: { ut_metadata: 2, a: 1 },
    });
    expect(text(bytes)).toMatch(
      /^d2:cc3:4\.01:ei0e1:md1:ai1e6:js_buy.*ut_metadatai2ee4:reqqi250e1:v9:Seedfleet6:yourip4:/,
    );
    expect(readExtendedHandshake(bytes)).toMatchObject({
      ok: true,
      extension: install,
      client: 'Seedfleet',
      requestQueue: 250,
    });
  });

  it('refuses additions that would change the mapping', () => {
    expect(() => encodeExtendedHandshake({ kind: 'install', topLevel: { cc: '5.0' } })).toThrow(RangeError);
    expect(() => encodeExtendedHandshake({ kind: 'install', topLevel: { m: {} } })).toThrow(RangeError);
    expect(() => encodeExtendedHandshake({ kind: 'install', foreignIds: { js_buy: 1 } })).toThrow(RangeError);
    expect(() => encodeExtendedHandshake({ kind: 'install', foreignIds: { ut_pex: 65 } })).toThrow(RangeError);
    expect(() => encodeExtendedHandshake({ kind: 'install', topLevel: { v: '→' } })).toThrow(RangeError);
  });
});

describe("a peer's extended handshake", () => {
  it.each(['4.0', '4.7', '4.0.0', '04.0', ' 4.0', '+4.0', '4.-1'])('is taken with version %j', (cc) => {
    expect(verdict(withVersion(cc))).toEqual(install);
  });

  it.each([
    ['4', 'version-without-dot'],
    ['40', 'version-without-dot'],
    ['3.9', 'version-mismatch'],
    ['5.0', 'version-mismatch'],
    ['-4.0', 'version-mismatch'],
    ['a.b', 'version-not-numeric'],
    ['4.', 'version-not-numeric'],
    ['4.x', 'version-not-numeric'],
    ['.4', 'version-not-numeric'],
    ['4.99999999999', 'version-not-numeric'],
    [`4.${'0'.repeat(40)}`, 'version-too-long'],
  ])('is refused with version %j: %s', (cc, code) => {
    expect(verdict(withVersion(cc))).toEqual({ kind: 'invalid', code });
  });

  it.each(['', 'de', '1:md6:js_buyi1ee'])('is a plain peer without a version', (rest) => {
    if (rest === '') expect(verdict(withVersion(''))).toEqual({ kind: 'none' });
    else expect(verdict(rest === 'de' ? rest : `d${rest}e`)).toEqual({ kind: 'none' });
    expect(verdict(toy.install.replace('3:4.0', 'i4e'))).toEqual({ kind: 'none' });
  });

  it('uninstalls when all eleven ids are zero', () => {
    expect(verdict(toy.uninstall)).toEqual({ kind: 'uninstall' });
  });

  it.each<[string, string, string]>([
    ['no m', 'd2:cc3:4.0e', 'mapping-missing'],
    ['m of another type', 'd2:cc3:4.01:mi1ee', 'mapping-missing'],
    ['an empty m', 'd2:cc3:4.01:mdee', 'mapping-incomplete'],
    ['one name missing', toy.install.replace('6:js_buyi61e', ''), 'mapping-incomplete'],
    ['another prefix', toy.install.replaceAll('js_', 'xx_'), 'mapping-incomplete'],
    ['another casing', toy.install.replace('js_buy', 'js_Buy'), 'mapping-incomplete'],
    ['an id as text', toy.install.replace('i68e', '2:68'), 'mapping-id-not-integer'],
    ['a negative id', toy.install.replace('i68e', 'i-68e'), 'mapping-id-negative'],
    ['an id of 256', toy.install.replace('i68e', 'i256e'), 'mapping-id-beyond-byte'],
    ['one id zero', toy.install.replace('i68e', 'i0e'), 'mapping-partly-zero'],
    ['one id of eleven not zero', toy.uninstall.replace('js_buyi0e', 'js_buyi61e'), 'mapping-partly-zero'],
    ['two ids alike', toy.install.replace('i68e', 'i67e'), 'mapping-id-repeated'],
  ])('is a plain peer with %s', (_, bencoded, code) => {
    expect(verdict(bencoded)).toMatchObject({ kind: 'invalid', code });
  });

  it('may announce further extensions, in any order of keys', () => {
    expect(verdict(toy.install.replace('6:js_buyi61e', '6:ut_pexi1e6:js_buyi61e'))).toEqual(install);
  });

  it.each([
    ['', 'bencode-truncated'],
    [toy.install.slice(0, -1), 'bencode-truncated'],
    ['x', 'bencode-unexpected-byte'],
    ['di1ei2ee', 'bencode-unexpected-byte'],
    ['li01ee', 'bencode-bad-integer'],
    ['li-0ee', 'bencode-bad-integer'],
    [`li${'1'.repeat(30)}ee`, 'bencode-bad-integer'],
    ['l5:abce', 'bencode-bad-length'],
    ['l02:abe', 'bencode-bad-length'],
    ['l99999999999999999999:e', 'bencode-bad-length'],
    ['l'.repeat(20), 'bencode-too-deep'],
    ['d1:ai1e1:ai2ee', 'bencode-duplicate-key'],
    ['i4e', 'handshake-not-a-dictionary'],
  ])('is ignored as %j: %s', (bencoded, code) => {
    expect(readExtendedHandshake(body(bencoded))).toEqual({ ok: false, code });
  });

  it('is not looked at beyond 64 KiB', () => {
    const large = body(`d1:a${MAX_EXTENDED_HANDSHAKE_BYTES}:${'x'.repeat(MAX_EXTENDED_HANDSHAKE_BYTES)}e`);
    expect(readExtendedHandshake(large)).toEqual({ ok: false, code: 'handshake-too-large' });
  });

  it('gives odd values of v and reqq no meaning', () => {
    const handshake = readExtendedHandshake(body('d4:reqqi-1e1:vi4ee'));
    expect(handshake).toMatchObject({ ok: true });
    expect(handshake).not.toHaveProperty('client');
    expect(handshake).not.toHaveProperty('requestQueue');
  });
});
