import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pieceSizeBytes, type TorrentShape } from '@seedfleet/exchange';
import type { RecordedBytes } from './script.js';

/** Torrents and data that came with the tool, looked at after those beside the vector file. */
const BUNDLED = fileURLToPath(new URL('../../fixtures/reference/', import.meta.url));

/** A torrent's shape, and its bytes when they could be found. */
export interface Content {
  readonly torrent: TorrentShape;
  readonly data: Uint8Array | undefined;
  /** False while the last piece's size is a guess. */
  readonly isSizeKnown: boolean;
}

/** Whether recorded bytes are a piece of the content; undefined when the content is not known. */
export const isPieceOf = (content: Content, piece: number, recorded: RecordedBytes): boolean | undefined => {
  const { torrent, isSizeKnown } = content;
  if (!isSizeKnown && piece === torrent.pieces - 1)
    return recorded.length <= torrent.pieceLengthBytes ? undefined : false;
  if (recorded.length !== pieceSizeBytes(torrent, piece)) return false;
  if (content.data === undefined) return undefined;
  const start = piece * torrent.pieceLengthBytes;
  return Buffer.from(content.data.subarray(start, start + recorded.shown.length)).equals(recorded.shown);
};

/**
 * Finds the data of `pieces` pieces of `pieceLengthBytes` beside a vector file or among the bundled vectors: a file whose
 * pieces have the hashes of a torrent with this info hash. Without it, sizes are those of `fallback`.
 */
export const findContent = (vectorFile: string, infoHash: Uint8Array | undefined, fallback: TorrentShape): Content => {
  const guess = { torrent: fallback, data: undefined, isSizeKnown: false };
  if (infoHash === undefined) return guess;
  for (const folder of [dirname(vectorFile), BUNDLED]) {
    const files = filesBelow(folder, 3);
    const info = files
      .filter((file) => file.endsWith('.torrent'))
      .map(readInfo)
      .find((found) => isHash(found?.hash, infoHash));
    if (info === undefined) continue;
    const torrent = {
      pieces: Math.ceil(info.length / info.pieceLength),
      pieceLengthBytes: info.pieceLength,
      totalBytes: info.length,
    };
    const data = files
      .filter((file) => statSync(file).size === info.length)
      .map((file) => readFileSync(file))
      .find((bytes) => sha1(bytes.subarray(0, info.pieceLength)).equals(info.firstPieceHash));
    return { torrent, data, isSizeKnown: true };
  }
  return guess;
};

const sha1 = (bytes: Uint8Array): Buffer => createHash('sha1').update(bytes).digest();

const isHash = (hash: Buffer | undefined, wanted: Uint8Array): boolean => hash?.equals(wanted) ?? false;

const filesBelow = (folder: string, depth: number): string[] => {
  if (depth === 0 || !existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path, depth - 1);
    return entry.isFile() ? [path] : [];
  });
};

interface TorrentInfo {
  readonly hash: Buffer;
  readonly length: number;
  readonly pieceLength: number;
  readonly firstPieceHash: Buffer;
}

/**
 * The few fields needed of a single-file torrent whose `info` is the last key, as the vectors' are. Anything else is not
 * a torrent of theirs.
 */
const readInfo = (path: string): TorrentInfo | undefined => {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('4:infod', 0, 'latin1');
  if (at < 0) return undefined;
  const info = bytes.subarray(at + 6, bytes.length - 1);
  const text = info.toString('latin1');
  const length = Number(/6:lengthi([0-9]+)e/.exec(text)?.[1]);
  const pieceLength = Number(/12:piece lengthi([0-9]+)e/.exec(text)?.[1]);
  const pieces = /6:pieces[0-9]+:/.exec(text);
  if (!Number.isSafeInteger(length) || !(pieceLength > 0) || pieces === null) return undefined;
  const start = pieces.index + pieces[0].length;
  return { hash: sha1(info), length, pieceLength, firstPieceHash: info.subarray(start, start + 20) };
};
