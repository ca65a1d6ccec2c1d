import type { TorrentShape } from './config.js';

/** Bytes of one piece: the nominal length, but for the last piece what is left. */
export function pieceSizeBytes(torrent: TorrentShape, piece: number): number {
  const isLast = piece === torrent.pieces - 1;
  return isLast ? torrent.totalBytes - torrent.pieceLengthBytes * (torrent.pieces - 1) : torrent.pieceLengthBytes;
}

/** Whether the index names a piece of the torrent. The wire's index is signed, so it may be negative. */
export function isPiece(torrent: TorrentShape, piece: number): boolean {
  return Number.isInteger(piece) && piece >= 0 && piece < torrent.pieces;
}
