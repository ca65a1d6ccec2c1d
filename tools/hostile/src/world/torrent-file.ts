import { readFileSync } from 'node:fs';
import { parseMetainfo, pieceHashAt } from '@seedfleet/bittorrent';
import type { Torrent } from '@seedfleet/interop';

/** A .torrent file as the buyers know it. Throws with a sentence for people. */
export function readTorrent(path: string): Torrent {
  const file = readFileSync(path);
  const parsed = parseMetainfo(file);
  if (!parsed.ok) throw new Error(`${path} is no torrent file: ${parsed.error.code} (${parsed.error.detail})`);
  const metainfo = parsed.value;
  return {
    name: metainfo.name,
    file,
    infoHash: Buffer.from(metainfo.infoHash, 'hex'),
    infoHashHex: metainfo.infoHash,
    pieceLengthBytes: metainfo.pieceLengthBytes,
    totalBytes: metainfo.totalLengthBytes,
    pieces: metainfo.pieceCount,
    hashes: Array.from({ length: metainfo.pieceCount }, (_, piece) => Buffer.from(pieceHashAt(metainfo, piece))),
  };
}
