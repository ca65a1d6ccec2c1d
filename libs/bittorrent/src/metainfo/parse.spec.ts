import bencode from 'bencode';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import parseTorrent from 'parse-torrent';
import { describe, expect, it } from 'vitest';
import fixtures from 'webtorrent-fixtures';
import { parseMetainfo } from './parse.js';
import { DEFAULT_METAINFO_LIMITS } from './metainfo.js';

const torrentBytes = (name: keyof typeof fixtures): Uint8Array => readFileSync(fixtures[name].torrentPath);

const goodInfo = { name: 'book.txt', 'piece length': 16384, length: 20000, pieces: new Uint8Array(40) };
const file = (path: (string | Uint8Array)[], extra: object = {}): object => ({ length: 10, path, ...extra });
const manyFiles = (...files: object[]): object => ({
  name: 'folder',
  'piece length': 16384,
  files,
  pieces: new Uint8Array(20),
});

function codeOf(info: object, limits = {}): string {
  const parsed = parseMetainfo(bencode.encode({ info }), { ...DEFAULT_METAINFO_LIMITS, ...limits });
  return parsed.ok ? 'ok' : parsed.error.code;
}

describe('parseMetainfo', () => {
  it.each(['leaves', 'alice', 'numbers', 'lotsOfNumbers', 'folder', 'sintel', 'bunny'] as const)(
    'agrees with parse-torrent on %s',
    async (name) => {
      const bytes = torrentBytes(name);
      const expected = await parseTorrent(bytes);
      const parsed = parseMetainfo(bytes);
      if (!parsed.ok) throw new Error(parsed.error.code);
      expect(parsed.value).toMatchObject({
        infoHash: expected.infoHash,
        name: expected.name,
        pieceLengthBytes: expected.pieceLength,
        lastPieceLengthBytes: expected.lastPieceLength,
        totalLengthBytes: expected.length,
        pieceCount: expected.pieces.length,
        announce: expected.announce,
      });
      expect(Buffer.from(parsed.value.pieceHashes).toString('hex')).toBe(expected.pieces.join(''));
      expect(parsed.value.files.map(({ offsetBytes, lengthBytes }) => [offsetBytes, lengthBytes])).toEqual(
        expected.files.map(({ offset, length }) => [offset, length]),
      );
    },
  );

  it('refuses a torrent without an info dictionary', () => {
    const parsed = parseMetainfo(torrentBytes('corrupt'));
    expect(parsed.ok).toBe(false);
  });

  it.each<[string, object, string]>([
    ['a good one', goodInfo, 'ok'],
    ['no name', { ...goodInfo, name: undefined }, 'field-missing'],
    ['a number for a name', { ...goodInfo, name: 5 }, 'field-invalid'],
    ['name ..', { ...goodInfo, name: '..' }, 'unsafe-path'],
    ['name with slash', { ...goodInfo, name: 'a/b' }, 'unsafe-path'],
    ['name with backslash', { ...goodInfo, name: 'a\\b' }, 'unsafe-path'],
    ['name with NUL', { ...goodInfo, name: 'a\0b' }, 'unsafe-path'],
    ['empty name', { ...goodInfo, name: '' }, 'unsafe-path'],
    ['overlong name', { ...goodInfo, name: 'x'.repeat(256) }, 'unsafe-path'],
    ['name not UTF-8', { ...goodInfo, name: Uint8Array.of(0xff, 0xfe) }, 'unsafe-path'],
    ['no piece length', { ...goodInfo, 'piece length': undefined }, 'field-missing'],
    ['piece length 0', { ...goodInfo, 'piece length': 0 }, 'piece-length-unsupported'],
    ['negative piece length', { ...goodInfo, 'piece length': -1 }, 'piece-length-unsupported'],
    ['huge piece length', { ...goodInfo, 'piece length': 2 ** 31 }, 'piece-length-unsupported'],
    ['no pieces', { ...goodInfo, pieces: undefined }, 'field-missing'],
    ['version 2', { ...goodInfo, pieces: undefined, 'meta version': 2 }, 'version-unsupported'],
    ['ragged pieces', { ...goodInfo, pieces: new Uint8Array(41) }, 'field-invalid'],
    ['too few pieces', { ...goodInfo, pieces: new Uint8Array(20) }, 'piece-count-mismatch'],
    ['too many pieces', { ...goodInfo, pieces: new Uint8Array(60) }, 'piece-count-mismatch'],
    ['no length', { ...goodInfo, length: undefined }, 'field-missing'],
    ['negative length', { ...goodInfo, length: -1 }, 'field-invalid'],
    ['nothing in it', { ...goodInfo, length: 0 }, 'size-unsupported'],
    ['absurd size', { ...goodInfo, length: 2 ** 52 }, 'size-unsupported'],
    ['two files', manyFiles(file(['a']), file(['b', 'c'])), 'ok'],
    ['path up', manyFiles(file(['..', 'a'])), 'unsafe-path'],
    ['empty path', manyFiles(file([])), 'unsafe-path'],
    ['absolute path', manyFiles(file(['/etc/passwd'])), 'unsafe-path'],
    ['deep path', manyFiles(file(Array<string>(65).fill('a'))), 'unsafe-path'],
    ['same path twice', manyFiles(file(['a']), file(['a'])), 'duplicate-path'],
    ['path through a file', manyFiles(file(['a', 'b']), file(['a'])), 'duplicate-path'],
    ['symbolic link', manyFiles(file(['a'], { attr: 'l' })), 'symlink-unsupported'],
    ['same padding twice', manyFiles(file(['.pad'], { attr: 'p' }), file(['.pad'], { attr: 'p' })), 'ok'],
    ['files not a list', { ...manyFiles(), files: 5 }, 'field-invalid'],
  ])('%s', (_what, info, code) => {
    const present = Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined));
    expect(codeOf(present)).toBe(code);
  });

  it('bounds files and bytes', () => {
    expect(codeOf(manyFiles(file(['a']), file(['b'])), { maxFiles: 1 })).toBe('too-many-files');
    expect(codeOf(goodInfo, { maxMetainfoBytes: 50 })).toBe('metainfo-too-large');
  });

  it('never throws on a damaged file', () => {
    const original = torrentBytes('numbers');
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.nat(255), fc.nat(original.length), (at, byte, end) => {
        const damaged = Uint8Array.from(original.subarray(0, end));
        if (at < end) damaged[at] = byte;
        parseMetainfo(damaged);
      }),
    );
  });
});
