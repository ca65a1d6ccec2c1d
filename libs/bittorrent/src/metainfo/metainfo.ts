/** What a .torrent file says, checked. */
export interface Metainfo {
  /** SHA-1 of the info dictionary as it was written, lowercase hex. */
  readonly infoHash: string;
  /** The torrent's name: the file of a single-file torrent, else the folder. One safe path component. */
  readonly name: string;
  readonly pieceLengthBytes: number;
  readonly pieceCount: number;
  /** Bytes of the last piece: 1 … pieceLengthBytes. */
  readonly lastPieceLengthBytes: number;
  readonly totalLengthBytes: number;
  /** SHA-1 of every piece, 20 bytes each, back to back. */
  readonly pieceHashes: Uint8Array;
  /** True when the torrent has a file list, even of one file; its files then lie in a folder called `name`. */
  readonly multiFile: boolean;
  /** In torrent order, gapless. */
  readonly files: readonly MetainfoFile[];
  /** Private torrents stay off DHT and peer exchange (BEP 27). */
  readonly isPrivate: boolean;
  /** Tracker URLs in order of appearance, without duplicates, unchecked beyond length. */
  readonly announce: readonly string[];
  /** The info dictionary as written, for `ut_metadata` (BEP 9). A view into the parsed bytes. */
  readonly infoBytes: Uint8Array;
}

export interface MetainfoFile {
  /** Safe path components below the torrent's folder; for a single-file torrent just the name. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Where the file begins in the torrent. */
  readonly offsetBytes: number;
  /** Padding (BEP 47): zeros that need not exist on disk. */
  readonly padding: boolean;
}

export type MetainfoErrorCode =
  /** The file is larger than the limit. */
  | 'metainfo-too-large'
  /** Not bencode, or not one whole value. */
  | 'not-bencode'
  /** No info dictionary. */
  | 'info-missing'
  /** A field is absent. */
  | 'field-missing'
  /** A field has the wrong type, or a number is out of its range. */
  | 'field-invalid'
  /** Version 2 only (BEP 52): it has no SHA-1 pieces to sell. */
  | 'version-unsupported'
  /** A name or path component could leave the folder, is empty, too long, or not UTF-8. */
  | 'unsafe-path'
  /** Two files share a path, or one file's path runs through another file. */
  | 'duplicate-path'
  /** More files than the limit. */
  | 'too-many-files'
  /** A symbolic link (BEP 47): it would let the torrent name files outside its folder. */
  | 'symlink-unsupported'
  /** Piece length outside the limits. */
  | 'piece-length-unsupported'
  /** No content, or more than the limit. */
  | 'size-unsupported'
  /** The number of piece hashes does not fit the size. */
  | 'piece-count-mismatch';

export interface MetainfoError {
  readonly code: MetainfoErrorCode;
  /** What it was about: a field name, a path, or a number with its limit. */
  readonly detail: string;
}

export interface MetainfoLimits {
  /** Largest .torrent file. Default 10 MiB: half a million pieces. */
  readonly maxMetainfoBytes: number;
  /** Most files. Default 100,000. */
  readonly maxFiles: number;
  /** Smallest piece. Default 1 KiB: below it the messages outweigh the pieces. */
  readonly minPieceLengthBytes: number;
  /** Largest piece. Default 64 MiB: a piece is held in memory as a whole. */
  readonly maxPieceLengthBytes: number;
  /** Largest content. Default 16 TiB. */
  readonly maxTotalLengthBytes: number;
}

export const DEFAULT_METAINFO_LIMITS: MetainfoLimits = {
  maxMetainfoBytes: 10 * 1024 * 1024,
  maxFiles: 100_000,
  minPieceLengthBytes: 1024,
  maxPieceLengthBytes: 64 * 1024 * 1024,
  maxTotalLengthBytes: 16 * 1024 ** 4,
};

/** Bytes of one piece. `piece` must be below `pieceCount`. */
export function pieceLengthAt(metainfo: Metainfo, piece: number): number {
  return piece === metainfo.pieceCount - 1 ? metainfo.lastPieceLengthBytes : metainfo.pieceLengthBytes;
}

/** The 20 bytes of one piece's SHA-1, a view. `piece` must be below `pieceCount`. */
export function pieceHashAt(metainfo: Metainfo, piece: number): Uint8Array {
  return metainfo.pieceHashes.subarray(piece * 20, piece * 20 + 20);
}
