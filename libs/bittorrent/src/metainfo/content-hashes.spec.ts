import bencode from 'bencode';
import { describe, expect, it } from 'vitest';
import { contentHashes } from './content-hashes.js';
import { parseMetainfo } from './parse.js';

const PIECE = 16_384;
const hex = (byte: number, length: number): string => Buffer.alloc(length, byte).toString('hex');

function hashesOf(info: object): string[] {
  const parsed = parseMetainfo(bencode.encode({ info }));
  if (!parsed.ok) throw new Error(parsed.error.code);
  return contentHashes(parsed.value);
}

describe('contentHashes', () => {
  it('tells what a single file says of itself', () => {
    const declared = { sha1: new Uint8Array(20).fill(1), md5sum: 'AB'.repeat(16) };
    const info = { name: 'a', 'piece length': PIECE, length: 2 * PIECE, pieces: new Uint8Array(40), ...declared };
    expect(hashesOf(info)).toEqual([hex(1, 20), 'ab'.repeat(16)]);
  });

  it('tells each file of a folder, also those that are exactly one piece, and no padding', () => {
    const pieces = Buffer.concat([1, 2, 3].map((byte) => Buffer.alloc(20, byte)));
    const files = [
      { length: PIECE, path: ['whole'] },
      { length: 10, path: ['part'], sha1: new Uint8Array(20).fill(9) },
      { length: PIECE - 10, path: ['.pad', 'x'], attr: 'p', sha1: new Uint8Array(20).fill(8) },
      { length: 5, path: ['last'] },
    ];
    expect(hashesOf({ name: 'f', 'piece length': PIECE, files, pieces }).sort()).toEqual(
      [hex(1, 20), hex(3, 20), hex(9, 20)].sort(),
    );
  });

  it('tells roots and infohash of a hybrid torrent', () => {
    const tree = { dir: { 'a.txt': { '': { length: 2 * PIECE, 'pieces root': new Uint8Array(32).fill(7) } } } };
    const v1 = { name: 'a', 'piece length': PIECE, length: 2 * PIECE, pieces: new Uint8Array(40) };
    const found = hashesOf({ ...v1, 'meta version': 2, 'file tree': tree });
    expect(found).toContain(hex(7, 32));
    expect(found.filter((hash) => hash.length === 64)).toHaveLength(2);
  });

  it('finds none in a plain torrent and does not trip over members of wrong types', () => {
    const plain = { name: 'a', 'piece length': PIECE, length: 2 * PIECE, pieces: new Uint8Array(40) };
    expect(hashesOf(plain)).toEqual([]);
    expect(hashesOf({ ...plain, sha1: 5, md5sum: 'no hash', 'meta version': 2, 'file tree': [1] })).toHaveLength(1);
  });
});
