import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fixtures from 'webtorrent-fixtures';
import { createMetainfo } from '../metainfo/create.js';
import { pieceLengthAt, type Metainfo } from '../metainfo/metainfo.js';
import { parseMetainfo } from '../metainfo/parse.js';
import { locateContent, locationBelow, type Content } from './location.js';
import { PieceStore } from './piece-store.js';
import { verifyContent } from './verify.js';
import { ContentWriter } from './writer.js';

let folder: string;
let store: PieceStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'content-'));
  store = new PieceStore();
});

afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

async function metainfoOf(torrentPath: string): Promise<Metainfo> {
  const parsed = parseMetainfo(await readFile(torrentPath));
  if (!parsed.ok) throw new Error(parsed.error.code);
  return parsed.value;
}

function noise(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + (at >>> 8) * 7) & 0xff));
}

/** A torrent of several files over small pieces, in a folder of its own. */
async function sample(
  name: string,
): Promise<{ readonly content: Content; readonly root: string; readonly bytes: Buffer }> {
  const root = join(folder, name, 'film');
  await mkdir(join(root, 'extras'), { recursive: true });
  const parts = [noise(40_000), noise(0), noise(5), noise(33_333)];
  await writeFile(join(root, 'a.bin'), parts[0] ?? '');
  await writeFile(join(root, 'b.empty'), '');
  await writeFile(join(root, 'c.tiny'), parts[2] ?? '');
  await writeFile(join(root, 'extras', 'd.bin'), parts[3] ?? '');
  const parsed = parseMetainfo(await createMetainfo(root, { pieceLengthBytes: 16_384 }));
  if (!parsed.ok) throw new Error(parsed.error.code);
  const located = await locateContent(parsed.value, join(folder, name));
  if (!located.ok) throw new Error(located.error.code);
  const byPath = { 'a.bin': 0, 'b.empty': 1, 'c.tiny': 2, 'extras/d.bin': 3 } as Record<string, number>;
  const bytes = Buffer.concat(parsed.value.files.map((file) => parts[byPath[file.path.join('/')] ?? 0] ?? noise(0)));
  return { content: { metainfo: parsed.value, location: located.value }, root, bytes };
}

describe('locateContent', () => {
  it('finds a single file by itself and by its folder', async () => {
    const metainfo = await metainfoOf(fixtures.leaves.torrentPath);
    expect((await locateContent(metainfo, fixtures.leaves.contentPath)).ok).toBe(true);
    expect((await locateContent(metainfo, join(fixtures.leaves.contentPath, '..'))).ok).toBe(true);
  });

  it('finds a folder by its parent and by itself', async () => {
    const metainfo = await metainfoOf(fixtures.numbers.torrentPath);
    expect((await locateContent(metainfo, fixtures.numbers.contentPath)).ok).toBe(true);
    expect((await locateContent(metainfo, join(fixtures.numbers.contentPath, '..'))).ok).toBe(true);
  });

  it('names what is wrong', async () => {
    const { content, root } = await sample('wrong');
    const locate = async (path: string): Promise<unknown> => {
      const located = await locateContent(content.metainfo, path);
      return located.ok ? 'ok' : located.error;
    };
    expect(await locate(join(folder, 'nowhere'))).toMatchObject({ code: 'content-missing' });
    expect(await locate(join(root, 'a.bin'))).toMatchObject({ code: 'not-a-file' });
    await truncate(join(root, 'extras', 'd.bin'), 33_332);
    expect(await locate(root)).toMatchObject({ code: 'file-short', path: join(root, 'extras', 'd.bin') });
    await rm(join(root, 'extras', 'd.bin'));
    expect(await locate(root)).toMatchObject({ code: 'file-missing', path: join(root, 'extras', 'd.bin') });
  });
});

describe('PieceStore', () => {
  it('reads pieces across files, the last one short', async () => {
    const { content, bytes } = await sample('read');
    for (let piece = 0; piece < content.metainfo.pieceCount; piece++) {
      const read = await store.read(content, piece);
      if (!read.ok) throw new Error(read.error.code);
      expect(Buffer.from(read.value.data).equals(bytes.subarray(piece * 16_384, (piece + 1) * 16_384))).toBe(true);
      expect(read.value.data.length).toBe(pieceLengthAt(content.metainfo, piece));
      read.value.release();
    }
  });

  it('refuses a piece that changed on disk, and serves it once repaired', async () => {
    const fresh = new PieceStore({ threads: 1 });
    const { content, root, bytes } = await sample('changed');
    await writeFile(join(root, 'c.tiny'), 'wrong');
    const piece = Math.floor(
      (content.metainfo.files.find((file) => file.path[0] === 'c.tiny')?.offsetBytes ?? 0) / 16_384,
    );
    expect(await fresh.read(content, piece)).toMatchObject({ ok: false, error: { code: 'piece-corrupt', piece } });
    await writeFile(join(root, 'c.tiny'), noise(5));
    const read = await fresh.read(content, piece);
    await fresh.close();
    expect(read.ok && Buffer.from(read.value.data).equals(bytes.subarray(piece * 16_384, (piece + 1) * 16_384))).toBe(
      true,
    );
  });

  it('fails fast when a file has gone', async () => {
    const { content, root } = await sample('gone');
    await rm(root, { recursive: true });
    const fresh = new PieceStore({ threads: 1 });
    expect(await fresh.read(content, 0)).toMatchObject({ ok: false, error: { code: 'file-missing', piece: 0 } });
    await fresh.close();
  });

  it('serves all who wait by one read and stays within its memory', async () => {
    const { content } = await sample('bounded');
    const small = new PieceStore({ maxBytes: 2 * 16_384, threads: 1 });
    const twice = await Promise.all([small.read(content, 0), small.read(content, 0)]);
    const [first, second] = twice.map((read) => (read.ok ? read.value : undefined));
    expect(first?.data.buffer).toBe(second?.data.buffer);
    const other = await small.read(content, 1);
    const third = small.read(content, 2);
    await expect(Promise.race([third, Promise.resolve('waiting')])).resolves.toBe('waiting');
    first?.release();
    first?.release();
    second?.release();
    expect((await third).ok).toBe(true);
    expect(other.ok).toBe(true);
    expect(small.allocatedBytes).toBe(2 * 16_384);
    await small.close();
    expect(await small.read(content, 3)).toMatchObject({ ok: false });
  });

  it('prefetches into memory that is free or cached, never against a waiting reader', async () => {
    const { content } = await sample('ahead');
    const small = new PieceStore({ maxBytes: 2 * 16_384, threads: 1 });
    small.prefetch(content, 0);
    const first = await small.read(content, 0);
    const second = await small.read(content, 1);
    small.prefetch(content, 2);
    expect(small.allocatedBytes).toBe(2 * 16_384);
    if (second.ok) second.value.release();
    small.prefetch(content, 2);
    const third = await small.read(content, 2);
    expect([first.ok, third.ok]).toEqual([true, true]);
    await small.close();
  });

  it('grants one piece that is larger than its memory', async () => {
    const { content } = await sample('larger');
    const tiny = new PieceStore({ maxBytes: 1, threads: 1 });
    const first = await tiny.read(content, 0);
    if (first.ok) first.value.release();
    expect((await tiny.read(content, 1)).ok).toBe(true);
    await tiny.close();
  });
});

describe('verifyContent', () => {
  it('finds everything good and reports progress', async () => {
    const { content } = await sample('good');
    const seen: number[] = [];
    const report = await verifyContent(content, store.loader, { onProgress: (p) => seen.push(p.checkedPieces) });
    expect(report).toMatchObject({ problemCount: 0, aborted: false });
    expect(report.good.isFull).toBe(true);
    expect(seen).toEqual(Array.from({ length: content.metainfo.pieceCount }, (_, at) => at + 1));
  });

  it('names pieces and files that are wrong', async () => {
    const { content, root } = await sample('bad');
    await writeFile(join(root, 'a.bin'), Buffer.concat([noise(39_999), Buffer.of(1)]));
    const report = await verifyContent(content, store.loader);
    expect(report.problems).toMatchObject([{ code: 'piece-corrupt', piece: 2, path: join(root, 'a.bin') }]);
    expect(report.good.count).toBe(content.metainfo.pieceCount - 1);
    await truncate(join(root, 'a.bin'), 20_000);
    const short = await verifyContent(content, store.loader, { stopAfterProblems: 1 });
    expect(short.problems[0]).toMatchObject({ code: 'file-short', path: join(root, 'a.bin') });
  });

  it('stops when asked', async () => {
    const { content } = await sample('stopped');
    const report = await verifyContent(content, store.loader, { signal: AbortSignal.abort() });
    expect(report).toMatchObject({ aborted: true, checkedPieces: 0 });
  });
});

describe('ContentWriter', () => {
  it('writes pieces in any order, and a later run finds them', async () => {
    const { content: source, bytes } = await sample('source');
    const out = join(folder, 'out');
    const content = { metainfo: source.metainfo, location: locationBelow(source.metainfo, out) };
    const opened = await ContentWriter.open(content);
    if (!opened.ok) throw new Error(opened.error.code);
    const last = source.metainfo.pieceCount - 1;
    for (const piece of [last, 1]) {
      const data = bytes.subarray(piece * 16_384, piece * 16_384 + pieceLengthAt(source.metainfo, piece));
      expect(await opened.value.write(piece, data)).toBeUndefined();
    }
    expect(await opened.value.close()).toBeUndefined();
    const half = await verifyContent(content, store.loader);
    expect([half.good.has(1), half.good.has(last), half.good.count]).toEqual([true, true, 2]);

    const resumed = await ContentWriter.open(content);
    if (!resumed.ok) throw new Error(resumed.error.code);
    for (let piece = 0; piece <= last; piece++) {
      if (!half.good.has(piece)) await resumed.value.write(piece, bytes.subarray(piece * 16_384, (piece + 1) * 16_384));
    }
    await resumed.value.close();
    expect((await verifyContent(content, store.loader)).good.isFull).toBe(true);
    expect((await stat(join(out, 'film', 'b.empty'))).size).toBe(0);
  });

  it('tells which pieces can not be there yet, so that a fresh download reads nothing', async () => {
    const { content: source, bytes } = await sample('fresh');
    const out = join(folder, 'fresh-out');
    const content = { metainfo: source.metainfo, location: locationBelow(source.metainfo, out) };
    await mkdir(join(out, 'film'), { recursive: true });
    await writeFile(join(out, 'film', 'a.bin'), bytes.subarray(0, 20_000));
    const opened = await ContentWriter.open(content);
    if (!opened.ok) throw new Error(opened.error.code);
    const { value: writer } = opened;
    // Pieces 0 and 1 lie in the file that was there, 2 begins in it.
    expect([0, 1, 2, 3, 4].map((piece) => writer.isNew(piece))).toEqual([false, false, false, true, true]);
    const isAbsent = (piece: number): boolean => writer.isNew(piece);
    const report = await verifyContent(content, store.loader, { isAbsent });
    expect([report.good.has(0), report.good.count, report.checkedPieces]).toEqual([true, 1, 5]);
    const again = await ContentWriter.open(content);
    expect(again.ok && [3, 4].some((piece) => again.value.isNew(piece))).toBe(false);
    await writer.close();
  });

  it('keeps few files open however many a torrent has', async () => {
    const root = join(folder, 'many', 'files');
    await mkdir(root, { recursive: true });
    const parts = Array.from({ length: 100 }, (_, place) => noise(20_000 + place));
    await Promise.all(parts.map((part, place) => writeFile(join(root, `${place}`.padStart(3, '0')), part)));
    const parsed = parseMetainfo(await createMetainfo(root, { pieceLengthBytes: 16_384 }));
    if (!parsed.ok) throw new Error(parsed.error.code);
    const content = { metainfo: parsed.value, location: locationBelow(parsed.value, join(folder, 'many-out')) };
    const opened = await ContentWriter.open(content);
    if (!opened.ok) throw new Error(opened.error.code);
    const bytes = Buffer.concat(parts);
    const before = (await readdir('/proc/self/fd')).length;
    let most = 0;
    for (let piece = 0; piece < parsed.value.pieceCount; piece += 1) {
      const data = bytes.subarray(piece * 16_384, piece * 16_384 + pieceLengthAt(parsed.value, piece));
      expect(await opened.value.write(piece, data)).toBeUndefined();
      most = Math.max(most, (await readdir('/proc/self/fd')).length - before);
    }
    expect(await opened.value.close()).toBeUndefined();
    expect(most).toBeLessThanOrEqual(70);
    expect((await verifyContent(content, store.loader)).good.isFull).toBe(true);
  });

  it('leaves a longer file of somebody alone', async () => {
    const { content, root } = await sample('longer');
    await writeFile(join(root, 'c.tiny'), 'not five bytes');
    expect(await ContentWriter.open(content)).toMatchObject({ ok: false, error: { code: 'file-longer' } });
    expect(await readFile(join(root, 'c.tiny'), 'utf8')).toBe('not five bytes');
  });

  it('names a folder where a file should be', async () => {
    const { content, root } = await sample('blocked');
    await rm(join(root, 'c.tiny'));
    await mkdir(join(root, 'c.tiny'));
    expect(await ContentWriter.open(content)).toMatchObject({ ok: false, error: { code: 'not-a-file' } });
  });
});
