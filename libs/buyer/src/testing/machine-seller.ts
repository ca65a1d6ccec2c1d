import { createPeerId, PeerListener, PieceSet, type Metainfo, type Peer } from '@seedfleet/bittorrent';
import {
  createConnection,
  DEFAULT_SELLER_LIMITS,
  inboundLimitBytes,
  stepConnection,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '@seedfleet/exchange';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { keyPairOf } from '@seedfleet/wallet';
import { encodeExtendedHandshake, encodePayload, type SellerTerms } from '@seedfleet/wire';

export type Conduct =
  | 'honest'
  | 'bad-pieces'
  | 'stall'
  | 'never-join'
  | 'close-when-funded'
  | 'close-midway'
  /** Joins with a contract key that is no point of the curve. */
  | 'wrong-key'
  /** Asks for more than the buyer pays. */
  | 'wrong-terms';

const ecdsa = bestEcdsa();
/** x = 2^256 − 1 is beyond the field. */
const NO_POINT = new Uint8Array(33).fill(0xff).fill(0x02, 0, 1);
let serial = 1;
const freshKeys = () => keyPairOf(Uint8Array.from(Buffer.from((serial++).toString(16).padStart(64, '0'), 'hex')));

/** A seller over a real socket, by the selling machine of the fleet, which departs from it as its conduct says. */
export class MachineSeller {
  /** Good pieces that left, and payments that came, over all its connections. */
  delivered = 0;
  payments = 0;
  fundings = 0;
  private listener: PeerListener | undefined;

  constructor(
    private readonly conduct: Conduct,
    private readonly metainfo: Metainfo,
    private readonly content: Uint8Array,
    private readonly terms: SellerTerms,
  ) {}

  async listen(host: string): Promise<{ readonly host: string; readonly port: number }> {
    const { infoHash, pieceCount } = this.metainfo;
    const have = PieceSet.full(pieceCount);
    const machines = new Map<Peer, ConnectionState>();
    this.listener = new PeerListener({
      host,
      port: 0,
      peerId: createPeerId(),
      torrentOf: () => ({ infoHash, pieceCount, have, extended: { limitBytes: (id) => limitOf(machines, id) } }),
      onPeer: (peer) => this.serve(peer, machines),
    });
    const bound = await this.listener.listen();
    if (!bound.ok) throw new Error(bound.error.code);
    return { host, port: bound.value.port };
  }

  async close(): Promise<void> {
    await this.listener?.close();
  }

  private get quote(): SellerTerms {
    return this.conduct === 'wrong-terms' ? { ...this.terms, minPrice: 10n * this.terms.minPrice } : this.terms;
  }

  private serve(peer: Peer, machines: Map<Peer, ConnectionState>): void {
    const { pieceCount: pieces, pieceLengthBytes, totalLengthBytes: totalBytes } = this.metainfo;
    const conn = createConnection({
      network: 'regtest',
      torrent: { pieces, pieceLengthBytes, totalBytes },
      peer: { peerId: peer.remotePeerId },
      ecdsa,
      seller: { ...DEFAULT_SELLER_LIMITS, holdSell: false },
    });
    machines.set(peer, conn);
    const waiting: ConnectionEvent[] = [];
    let stepping = false;
    const feed = (event: ConnectionEvent): void => {
      waiting.push(event);
      if (stepping) return;
      stepping = true;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        for (const effect of stepConnection(conn, next).effects) this.carryOut(peer, effect, feed);
      }
      stepping = false;
    };
    peer.on('extendedHandshake', (payload) => feed({ type: 'received', id: 0, payload }));
    peer.on('extended', (id, payload) => feed({ type: 'received', id, payload }));
    peer.once('closed', () => {
      machines.delete(peer);
      feed({ type: 'disconnected' });
    });
    peer.start();
    feed({ type: 'sell' });
    feed({ type: 'start' });
  }

  private carryOut(peer: Peer, effect: Effect, feed: (event: ConnectionEvent) => void): void {
    switch (effect.type) {
      case 'send-handshake':
        return void peer.sendExtendedHandshake(encodeExtendedHandshake({ kind: effect.kind }));
      case 'send':
        return void peer.sendExtended(effect.id, encodePayload(effect.message));
      case 'close':
        return void peer.finish();
      case 'quote-wanted':
        return feed({ type: 'quote', terms: this.quote });
      case 'join-wanted': {
        if (this.conduct === 'never-join') return;
        const { publicKey, keyHash: sellerKeyHash } = freshKeys();
        const sellerPublicKey = this.conduct === 'wrong-key' ? NO_POINT : publicKey;
        return feed({ type: 'join-accepted', invitation: effect.invitation, sellerPublicKey, sellerKeyHash });
      }
      case 'funding-announced':
        this.fundings += 1;
        if (this.conduct === 'close-when-funded') return peer.close();
        return feed({ type: 'funding-verdict', verdict: { kind: 'serve-all' } });
      case 'load-piece':
        if (this.conduct === 'stall' && this.delivered >= 1) return;
        if (this.conduct === 'close-midway' && this.delivered >= 2) return peer.close();
        return feed({ type: 'piece-loaded', entry: effect.entry });
      case 'deliver-piece': {
        const from = effect.piece * this.metainfo.pieceLengthBytes;
        const good = this.content.subarray(from, from + effect.sizeBytes);
        const bad = this.conduct === 'bad-pieces' && this.delivered >= 1;
        if (!bad) this.delivered += 1;
        const data = bad ? good.map((byte) => byte ^ 1) : good;
        return void peer.sendExtended(effect.id, encodePayload({ type: 'full_piece', data }));
      }
      case 'store-payment':
        this.payments += 1;
        return feed({ type: 'payments-stored', paymentNumber: effect.paymentNumber });
      default:
    }
  }
}

function limitOf(machines: Map<Peer, ConnectionState>, id: number): number {
  return Math.max(256, ...[...machines.values()].map((conn) => inboundLimitBytes(conn, id)));
}
