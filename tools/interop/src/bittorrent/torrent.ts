import { createHash } from 'node:crypto';

/** A single-file torrent: its .torrent file, and what a client takes from it. */
export interface Torrent {
  readonly name: string;
  readonly file: Uint8Array;
  readonly infoHash: Uint8Array;
  readonly infoHashHex: string;
  readonly pieceLengthBytes: number;
  readonly totalBytes: number;
  readonly pieces: number;
  /** SHA-1 of each piece. */
  readonly hashes: readonly Buffer[];
}

/** Makes a torrent of one file, of a tracker where one is named. */
export function torrentOf(name: string, content: Uint8Array, pieceLengthBytes: number, announce?: string): Torrent {
  const hashes: Buffer[] = [];
  for (let at = 0; at < content.length; at += pieceLengthBytes) {
    hashes.push(sha1(content.subarray(at, at + pieceLengthBytes)));
  }
  const info = Buffer.concat([
    Buffer.from(
      `d6:lengthi${content.length}e4:name${Buffer.byteLength(name)}:${name}` +
        `12:piece lengthi${pieceLengthBytes}e6:pieces${hashes.length * 20}:`,
    ),
    ...hashes,
    Buffer.from('e'),
  ]);
  const infoHash = sha1(info);
  return {
    name,
    file: Buffer.concat([
      Buffer.from(announce === undefined ? 'd4:info' : `d8:announce${announce.length}:${announce}4:info`),
      info,
      Buffer.from('e'),
    ]),
    infoHash,
    infoHashHex: infoHash.toString('hex'),
    pieceLengthBytes,
    totalBytes: content.length,
    pieces: hashes.length,
    hashes,
  };
}

export function isGoodPiece(torrent: Torrent, piece: number, data: Uint8Array): boolean {
  return torrent.hashes[piece]?.equals(sha1(data)) === true;
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}
