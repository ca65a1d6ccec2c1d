/** BitTorrent message ids (BEP 3, 5, 6, 10) that this transport knows. */
export const MessageId = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const;

/** Longest standard frame whose kind has no fixed length: a 16 KiB block and its header, what clients ask for. */
export const MAX_STANDARD_FRAME_BYTES = 16 * 1024 + 9;

/** Longest extended handshake (BEP 10): real ones have a few hundred bytes. */
export const MAX_EXTENDED_HANDSHAKE_BYTES = 64 * 1024;

const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [MessageId.choke, 1],
  [MessageId.unchoke, 1],
  [MessageId.interested, 1],
  [MessageId.notInterested, 1],
  [MessageId.have, 5],
  [MessageId.request, 13],
  [MessageId.cancel, 13],
  [MessageId.port, 3],
  [MessageId.suggest, 5],
  [MessageId.haveAll, 1],
  [MessageId.haveNone, 1],
  [MessageId.reject, 13],
  [MessageId.allowedFast, 5],
]);

export type FrameVerdict = 'take' | 'skip' | 'frame-too-large' | 'frame-malformed' | 'protocol-violation';

/** Length of a block's frame without its data: id, piece, offset. */
const BLOCK_HEAD_BYTES = 9;

/** What the owner of a connection expects of the standard protocol. */
export interface FrameExpectations {
  /** Pieces of the torrent; 0 while that is unknown, as of a magnet link: what depends on it is then skipped. */
  readonly pieceCount: number;
  /** Whether blocks are asked for: without that, none is legitimate. */
  readonly takesBlocks: boolean;
}

const NEEDS_PIECE_COUNT: ReadonlySet<number> = new Set([MessageId.have, MessageId.bitfield, MessageId.haveAll]);
/** A bitfield of a torrent with eight million pieces. */
const MAX_SKIPPED_BITFIELD_BYTES = 1024 * 1024;

/**
 * What to do with a standard frame, from its length (id included) and id alone. Unknown ids are skipped unread, as
 * BEP 3 asks.
 */
export function judgeStandardFrame(
  lengthBytes: number,
  id: number,
  { pieceCount, takesBlocks }: FrameExpectations,
): FrameVerdict {
  if (id === MessageId.piece) {
    if (!takesBlocks) return 'protocol-violation';
    if (lengthBytes > MAX_STANDARD_FRAME_BYTES) return 'frame-too-large';
    return lengthBytes > BLOCK_HEAD_BYTES ? 'take' : 'frame-malformed';
  }
  if (pieceCount === 0 && NEEDS_PIECE_COUNT.has(id)) {
    return lengthBytes <= MAX_SKIPPED_BITFIELD_BYTES ? 'skip' : 'frame-too-large';
  }
  const expected = id === MessageId.bitfield ? 1 + Math.ceil(pieceCount / 8) : FIXED_LENGTHS.get(id);
  if (expected !== undefined) return lengthBytes === expected ? 'take' : 'frame-malformed';
  return lengthBytes <= MAX_STANDARD_FRAME_BYTES ? 'skip' : 'frame-too-large';
}
