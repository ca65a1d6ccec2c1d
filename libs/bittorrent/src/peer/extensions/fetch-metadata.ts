import { createHash } from 'node:crypto';
import { decodeBencode } from '../../bencode/decode.js';
import type { PeerAddress } from '../../discovery/addresses.js';
import { PieceSet } from '../../piece-set.js';
import { failure, success, type Result } from '../../result.js';
import { dialPeer, type DialError } from '../dial.js';
import type { Peer } from '../peer.js';
import { readForeignExtensions } from './foreign.js';
import { METADATA_PART_BYTES } from './metadata.js';

/** Our id for `ut_metadata` on a connection that does nothing else. */
const OUR_ID = 1;
const HANDSHAKE = Buffer.from(`d1:md11:ut_metadatai${OUR_ID}eee`);
/** Room for the dictionary before a part. */
const HEAD_BYTES = 256;
/** Largest info dictionary, as `DEFAULT_METAINFO_LIMITS` has it for .torrent files. */
const MAX_INFO_BYTES = 10 * 1024 * 1024;
/** A peer that has the metadata sends it within seconds. */
const TIMEOUT_MS = 30_000;
const DATA = 1;

export type MetadataError =
  | DialError
  /** The peer has no metadata to give, or does not say how much. */
  | 'metadata-unsupported'
  /** It names a size beyond the limit, or refuses a part. */
  | 'metadata-refused'
  /** What it sent is not what the hash names. */
  | 'metadata-wrong'
  /** It did not come in time. */
  | 'metadata-timeout';

export interface FetchMetadataOptions {
  /** Lowercase hex. */
  readonly infoHash: string;
  readonly from: PeerAddress;
  readonly peerId: Uint8Array;
  readonly signal: AbortSignal;
}

/** Asks one peer for a torrent's info dictionary (BEP 9) and checks it against the hash. Never rejects. */
export async function fetchMetadata(options: FetchMetadataOptions): Promise<Result<Uint8Array, MetadataError>> {
  const { infoHash, from, peerId, signal } = options;
  const dialled = await dialPeer({
    ...from,
    peerId,
    signal,
    torrent: {
      infoHash,
      pieceCount: 0,
      have: new PieceSet(0),
      extended: { limitBytes: (id) => (id === OUR_ID ? METADATA_PART_BYTES + HEAD_BYTES : 256) },
    },
  });
  if (!dialled.ok) return dialled;
  const peer = dialled.value;
  return new Promise((resolve) => {
    const settle = (result: Result<Uint8Array, MetadataError>): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      peer.close();
    };
    const onAbort = (): void => settle(failure('local'));
    const timer = setTimeout(() => settle(failure('metadata-timeout')), TIMEOUT_MS);
    signal.addEventListener('abort', onAbort);
    peer.once('closed', (reason) => settle(failure(reason)));
    collect(peer, infoHash, settle);
    peer.sendExtendedHandshake(HANDSHAKE);
    peer.start();
    if (signal.aborted) onAbort();
  });
}

/** Asks for one part after the other; the peer can make us hold no more than the size it named. */
function collect(peer: Peer, infoHash: string, settle: (result: Result<Uint8Array, MetadataError>) => void): void {
  let info: Uint8Array | undefined;
  let theirId = 0;
  let next = 0;
  const ask = (): void => void peer.sendExtended(theirId, Buffer.from(`d8:msg_typei0e5:piecei${next}ee`));
  peer.on('extendedHandshake', (body) => {
    if (info !== undefined) return;
    const sizeBytes = metadataSize(body);
    theirId = readForeignExtensions(body).utMetadata ?? 0;
    if (theirId === 0 || sizeBytes === undefined) return settle(failure('metadata-unsupported'));
    if (sizeBytes > MAX_INFO_BYTES) return settle(failure('metadata-refused'));
    info = new Uint8Array(sizeBytes);
    ask();
  });
  peer.on('extended', (id, payload) => {
    if (id !== OUR_ID || info === undefined) return;
    const part = readPart(payload);
    // Requests of the peer mean nothing here; a refused part never comes.
    if (part === undefined) return;
    if (part === 'refused') return settle(failure('metadata-refused'));
    const at = next * METADATA_PART_BYTES;
    if (part.index !== next || part.data.length !== Math.min(METADATA_PART_BYTES, info.length - at)) {
      return settle(failure('metadata-wrong'));
    }
    info.set(part.data, at);
    next += 1;
    if (next * METADATA_PART_BYTES < info.length) return ask();
    const right = createHash('sha1').update(info).digest('hex') === infoHash;
    settle(right ? success(info) : failure('metadata-wrong'));
  });
}

function metadataSize(handshake: Uint8Array): number | undefined {
  const decoded = decodeBencode(handshake, { maxDepth: 8, maxValues: 2_000 });
  if (!decoded.ok || decoded.value.type !== 'dictionary') return undefined;
  const size = decoded.value.value.get('metadata_size');
  return size?.type === 'integer' && size.value > 0 ? size.value : undefined;
}

/** A dictionary, and behind it the bytes of the part. */
function readPart(payload: Uint8Array): { readonly index: number; readonly data: Uint8Array } | 'refused' | undefined {
  const end = dictionaryEnd(payload);
  const decoded = decodeBencode(payload.subarray(0, end), { maxDepth: 2, maxValues: 16 });
  if (!decoded.ok || decoded.value.type !== 'dictionary') return undefined;
  const type = decoded.value.value.get('msg_type');
  const piece = decoded.value.value.get('piece');
  if (type?.type !== 'integer' || piece?.type !== 'integer') return undefined;
  if (type.value === 2) return 'refused';
  return type.value === DATA ? { index: piece.value, data: payload.subarray(end) } : undefined;
}

/** The dictionary has only integers, so it ends with the first double e. */
function dictionaryEnd(payload: Uint8Array): number {
  const head = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, HEAD_BYTES));
  const at = head.indexOf('ee');
  return at < 0 ? payload.length : at + 2;
}
