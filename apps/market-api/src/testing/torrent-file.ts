import { createHash } from 'node:crypto';

/** Hand-made .torrent files, also such as no honest program writes. */

type Bencodable = number | string | Uint8Array | readonly Bencodable[] | { readonly [key: string]: Bencodable };

export function bencode(value: Bencodable): Buffer {
  if (typeof value === 'number') return Buffer.from(`i${value}e`);
  if (typeof value === 'string') return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (Array.isArray(value)) {
    return Buffer.concat([Buffer.from('l'), ...(value as readonly Bencodable[]).map(bencode), Buffer.from('e')]);
  }
  const entries = Object.entries(value as { readonly [key: string]: Bencodable }).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([
    Buffer.from('d'),
    ...entries.flatMap(([key, member]) => [bencode(key), bencode(member)]),
    Buffer.from('e'),
  ]);
}

export interface TorrentFile {
  readonly bytes: Buffer;
  readonly base64: string;
  readonly infoHash: string;
}

/** A single-file torrent of `pieceCount` whole pieces whose hashes are all zero, with whatever else `info` holds. */
export function torrentFile(
  name: string,
  { pieceLength = 16_384, pieceCount = 23 } = {},
  info: { readonly [key: string]: Bencodable } = {},
): TorrentFile {
  const whole = {
    name,
    'piece length': pieceLength,
    pieces: new Uint8Array(20 * pieceCount),
    length: pieceLength * pieceCount,
    ...info,
  };
  const bytes = bencode({ info: whole });
  const infoHash = createHash('sha1').update(bencode(whole)).digest('hex');
  return { bytes, base64: bytes.toString('base64'), infoHash };
}
