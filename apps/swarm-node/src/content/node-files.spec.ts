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
  expect(LazyLocation.of(lazy, located.value).files).toEqual(located.value.files);
  await files.forget(metainfo.infoHash);
  expect([lazy.pieceHashes.length, lazy.whole]).toEqual([0, undefined]);
});

it('remembers over a restart what was verified, and forgets what was withdrawn or replaced', async () => {
  const data = join(folder, 'data');
  const files = await NodeFiles.open(data);
  await files.writeTorrent(metainfo.infoHash, torrent);
  expect(files.noted(metainfo.infoHash)).toBeUndefined();
  files.noteVerified(files.lazy(metainfo), 'as it was');
  // A crash in the middle of a line.
  await appendFile(join(data, 'verified.jsonl'), '{"infoHash":"ab');
  const again = await NodeFiles.open(data);
  expect(again.verifiedFingerprint(metainfo.infoHash)).toBe('as it was');
  expect(again.noted(metainfo.infoHash)).toMatchObject({ pieceCount: 4, name: 'film', isPrivate: false });
  again.torrentLost(metainfo.infoHash);
  expect(again.noted(metainfo.infoHash)).toBeUndefined();
  await rm(join(data, 'torrents', `${metainfo.infoHash}.torrent`));
  // Its .torrent file is fetched anew; the content need not be read again.
  const third = await NodeFiles.open(data);
  expect([third.noted(metainfo.infoHash), third.verifiedFingerprint(metainfo.infoHash)]).toEqual([
    undefined,
    'as it was',
  ]);
  await third.writeTorrent(metainfo.infoHash, torrent);
  expect(third.noted(metainfo.infoHash)).toMatchObject({ name: 'film' });
  await third.forget(metainfo.infoHash);
  expect((await NodeFiles.open(data)).verifiedFingerprint(metainfo.infoHash)).toBeUndefined();
});
