import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, locateContent, parseMetainfo, pieceHashAt, type Metainfo } from '@seedfleet/bittorrent';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LazyLocation } from './lazy-metainfo.js';
import { NodeFiles } from './node-files.js';

let folder: string;
let metainfo: Metainfo;
let torrent: Uint8Array;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-files-'));
  await writeFile(join(folder, 'film'), Buffer.alloc(50_000, 'film'));
  torrent = await createMetainfo(join(folder, 'film'), { pieceLengthBytes: 16_384 });
  const parsed = parseMetainfo(torrent);
  if (!parsed.ok) throw new Error(parsed.error.code);
  metainfo = parsed.value;
});
afterEach(() => rm(folder, { recursive: true }));

it('keeps a torrent without its hashes, and reads them when they are wanted', async () => {
  const files = await NodeFiles.open(join(folder, 'data'));
  await files.writeTorrent(metainfo.infoHash, torrent);
  const lazy = files.lazy(metainfo);
  expect(Buffer.from(pieceHashAt(lazy, 1))).toEqual(Buffer.from(pieceHashAt(metainfo, 1)));
  expect(Buffer.from(lazy.infoBytes)).toEqual(Buffer.from(metainfo.infoBytes));
  expect(lazy.files).toEqual(metainfo.files);
  const located = await locateContent(lazy, join(folder, 'film'));
  if (!located.ok) throw new Error(located.error.code);
  expect(new LazyLocation(lazy, located.value).files).toEqual(located.value.files);
  await files.forget(metainfo.infoHash);
  expect([lazy.pieceHashes.length, lazy.whole]).toEqual([0, undefined]);
});

it('remembers over a restart what was verified, and forgets what was withdrawn or replaced', async () => {
  const data = join(folder, 'data');
  const files = await NodeFiles.open(data);
  await files.writeTorrent(metainfo.infoHash, torrent);
  expect(await files.noted(metainfo.infoHash)).toBeUndefined();
  await files.noteVerified(metainfo, 'as it was');
  // A crash in the middle of a line.
  await appendFile(join(data, 'verified.jsonl'), '{"infoHash":"ab');
  const again = await NodeFiles.open(data);
  expect(again.verifiedFingerprint(metainfo.infoHash)).toBe('as it was');
  expect(await again.noted(metainfo.infoHash)).toMatchObject({ pieceCount: 4, name: 'film', isPrivate: false });
  await again.writeTorrent(metainfo.infoHash, torrent.subarray(0, torrent.length - 1));
  expect(await again.noted(metainfo.infoHash)).toBeUndefined();
  await again.forget(metainfo.infoHash);
  expect((await NodeFiles.open(data)).verifiedFingerprint(metainfo.infoHash)).toBeUndefined();
});
