/**
 * A seller with payments switched off, for the benchmark alone and a process of its own: the node's peer transport and
 * its piece store, every piece hash-checked when it is read, and nothing between a request and its piece. What the paid
 * sale loses against this is the price of being paid. No shipped program can be made to do this.
 *
 * Argument: JSON of the torrent files and their content. Reports its port by IPC.
 */
import { readFileSync } from 'node:fs';
import {
  createPeerId,
  locateContent,
  parseMetainfo,
  PeerListener,
  PieceSet,
  PieceStore,
  type Content,
  type Peer,
} from '@seedfleet/bittorrent';
import { decodeMessage, encodeExtendedHandshake, encodeFrame, MESSAGE_ID } from '@seedfleet/wire';

interface Offered {
  readonly torrentFile: string;
  readonly contentPath: string;
}

const CONTROL_LIMIT_BYTES = 256;
const neverAsked = (): boolean => false;
const pieces = new PieceStore();
const contents = new Map<string, Content>();

for (const { torrentFile, contentPath } of JSON.parse(process.argv[2] ?? '[]') as Offered[]) {
  const parsed = parseMetainfo(readFileSync(torrentFile));
  if (!parsed.ok) throw new Error(parsed.error.code);
  const located = await locateContent(parsed.value, contentPath);
  if (!located.ok) throw new Error(located.error.code);
  contents.set(parsed.value.infoHash, { metainfo: parsed.value, location: located.value });
}

/** Pieces leave in the order of their requests; all that a peer has asked for are read at once. */
function serve(peer: Peer): void {
  const content = contents.get(peer.infoHash);
  if (content === undefined) return peer.close();
  let turn: Promise<void> = Promise.resolve();
  peer.on('extendedHandshake', () => {
    peer.sendExtendedHandshake(encodeExtendedHandshake({ kind: 'install' }));
  });
  peer.on('extended', (id, payload) => {
    const decoded = decodeMessage(id, payload, neverAsked);
    if (!decoded.ok || decoded.message.type !== 'request_full_piece') return;
    const read = pieces.read(content, decoded.message.piece);
    turn = turn.then(async () => {
      const lease = await read;
      if (!lease.ok) return peer.close();
      const { header, body } = encodeFrame({ type: 'full_piece', data: lease.value.data }, MESSAGE_ID);
      peer.sendFrame(header, body, { lane: 'bulk', onFlushed: () => lease.value.release() });
    });
  });
  peer.start();
}

const listener = new PeerListener({
  host: '127.0.0.1',
  port: 0,
  peerId: createPeerId(),
  torrentOf: (infoHash) => {
    const content = contents.get(infoHash);
    if (content === undefined) return undefined;
    const { pieceCount } = content.metainfo;
    return {
      infoHash,
      pieceCount,
      have: PieceSet.full(pieceCount),
      extended: { limitBytes: () => CONTROL_LIMIT_BYTES },
    };
  },
  onPeer: serve,
});
const bound = await listener.listen();
if (!bound.ok) throw new Error(bound.error.code);
process.send?.({ port: bound.value.port });
process.on('disconnect', () => process.exit());
