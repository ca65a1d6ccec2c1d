import { createHash } from 'node:crypto';
import {
  createPeerId,
  dialPeer,
  PeerListener,
  PieceSet,
  type Metainfo,
  type Peer,
  type TorrentSide,
  type UtpPort,
} from '@seedfleet/bittorrent';
import {
  createConnection,
  DEFAULT_SELLER_LIMITS,
  inboundLimitBytes,
  stepConnection,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '@seedfleet/exchange';
import { bestEcdsa, derSignature } from '@seedfleet/payment-channel';
import { encodeExtendedHandshake, encodeFrame, MESSAGE_ID, type BuyerTerms, type SellerTerms } from '@seedfleet/wire';

const ecdsa = bestEcdsa();
const key = new Uint8Array(32).fill(9);

export interface BuyerBehaviour {
  readonly terms: BuyerTerms;
  /** Bytes of the speed test before inviting; 0 for none. */
  readonly testBytes: number;
  /** Open requests. */
  readonly depth: number;
  /** Pieces paid before it stops paying. */
  readonly payAtMost: number;
  readonly encryption: 'off' | 'require';
  /** Dials by uTP alone, from this port. */
  readonly utp: UtpPort | undefined;
}

export const GENEROUS: BuyerBehaviour = {
  terms: { maxContractFeePerKb: 1024n, maxLock: 40, maxPrice: 1_000_000n, minNumberOfSellers: 1 },
  testBytes: 0,
  depth: 4,
  payAtMost: Infinity,
  encryption: 'off',
  utp: undefined,
};

/** A buyer that takes every piece once, in order, and says what it saw. Its funding transaction exists only in name. */
export class TestBuyer {
  readonly offers: SellerTerms[] = [];
  readonly pieces = new Map<number, Uint8Array>();
  speedTested = false;
  paid = 0;
  /** Why the connection ended, as far as this side knows. */
  closed: string | undefined;
  private next = 0;
  private open = 0;
  private state!: ConnectionState;

  private constructor(
    readonly metainfo: Metainfo,
    readonly behaviour: BuyerBehaviour,
    readonly peer: Peer,
  ) {}

  static async dial(port: number, metainfo: Metainfo, behaviour: Partial<BuyerBehaviour> = {}): Promise<TestBuyer> {
    const holder: { buyer?: TestBuyer } = {};
    const dialled = await dialPeer({
      host: '127.0.0.1',
      port,
      peerId: createPeerId(),
      encryption: behaviour.encryption ?? GENEROUS.encryption,
      torrent: sideFor(metainfo, holder),
      // From an address that can't reach the node by TCP.
      ...(behaviour.utp === undefined ? {} : { utp: behaviour.utp, localAddress: '::1' }),
    });
    if (!dialled.ok) throw new Error(dialled.error);
    return TestBuyer.begun(metainfo, dialled.value, behaviour, holder);
  }

  /** Waits to be dialled. */
  static async listen(
    metainfo: Metainfo,
  ): Promise<{ readonly port: number; readonly buyers: TestBuyer[]; close(): void }> {
    const buyers: TestBuyer[] = [];
    const holder: { buyer?: TestBuyer } = {};
    const listener = new PeerListener({
      host: '127.0.0.1',
      port: 0,
      peerId: createPeerId(),
      torrentOf: (infoHash) => (infoHash === metainfo.infoHash ? sideFor(metainfo, holder) : undefined),
      infoHashOf: () => metainfo.infoHash,
      onPeer: (peer) => buyers.push(TestBuyer.begun(metainfo, peer, {}, holder)),
    });
    const bound = await listener.listen();
    if (!bound.ok) throw new Error(bound.error.code);
    return { port: bound.value.port, buyers, close: () => listener.close() };
  }

  private static begun(
    metainfo: Metainfo,
    peer: Peer,
    behaviour: Partial<BuyerBehaviour>,
    holder: { buyer?: TestBuyer },
  ): TestBuyer {
    const buyer = new TestBuyer(metainfo, { ...GENEROUS, ...behaviour }, peer);
    holder.buyer = buyer;
    buyer.begin();
    return buyer;
  }

  get complete(): boolean {
    return this.pieces.size === this.metainfo.pieceCount;
  }

  limitBytes(id: number): number | undefined {
    return inboundLimitBytes(this.state, id);
  }

  step(event: ConnectionEvent): void {
    for (const effect of stepConnection(this.state, event).effects) this.carryOut(effect);
  }

  request(piece: number): void {
    this.open++;
    this.step({ type: 'request-piece', piece });
  }

  private begin(): void {
    const { peer, metainfo } = this;
    this.state = createConnection({
      network: 'regtest',
      torrent: {
        pieces: metainfo.pieceCount,
        pieceLengthBytes: metainfo.pieceLengthBytes,
        totalBytes: metainfo.totalLengthBytes,
      },
      peer: { peerId: peer.remotePeerId },
      ecdsa,
      seller: DEFAULT_SELLER_LIMITS,
    });
    peer.on('extendedHandshake', (payload) => this.step({ type: 'received', id: 0, payload }));
    peer.on('extended', (id, payload) => this.step({ type: 'received', id, payload }));
    peer.on('closed', (reason) => (this.closed ??= reason));
    peer.start();
    this.step({ type: 'start' });
    this.step({ type: 'buy', terms: this.behaviour.terms });
  }

  private carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'send-handshake':
        return void this.peer.sendExtendedHandshake(encodeExtendedHandshake({ kind: effect.kind }));
      case 'send': {
        const frame = encodeFrame(effect.message, { ...MESSAGE_ID, [effect.message.type]: effect.id });
        return void this.peer.sendFrame(frame.header, frame.body);
      }
      case 'close':
        this.closed ??= effect.code;
        return void this.peer.finish();
      case 'offer':
        this.offers.push(effect.terms);
        if (this.behaviour.testBytes === 0 || this.speedTested) return this.step({ type: 'invite' });
        return this.step({ type: 'test-speed', sizeBytes: this.behaviour.testBytes });
      case 'speed-tested':
        this.speedTested = true;
        return this.step({ type: 'invite' });
      case 'seller-joined':
        return this.fund(effect.terms);
      case 'piece-received':
        return this.onPiece(effect.piece, effect.data);
      case 'payment-sent':
        this.paid = effect.paymentNumber;
        return;
      default:
    }
  }

  private fund(terms: SellerTerms): void {
    const buyerPublicKey = ecdsa.publicKeyFor(key);
    if (buyerPublicKey === undefined) throw new Error('bad key');
    this.step({
      type: 'contract-ready',
      funding: {
        valueSat: terms.minPrice * BigInt(this.metainfo.pieceCount) + 600n,
        outpoint: { txid: new Uint8Array(32).fill(3), index: 1 },
        buyerPublicKey,
        buyerKeyHash: new Uint8Array(20).fill(4),
        sign: (digest) => derSignature(ecdsa.sign(digest, key)),
      },
    });
    this.fill();
  }

  private fill(): void {
    while (this.open < this.behaviour.depth && this.next < this.metainfo.pieceCount) this.request(this.next++);
  }

  private onPiece(piece: number, data: Uint8Array): void {
    const expected = Buffer.from(this.metainfo.pieceHashes.subarray(piece * 20, piece * 20 + 20));
    if (!createHash('sha1').update(data).digest().equals(expected)) throw new Error(`piece ${piece} is bad`);
    this.pieces.set(piece, data.slice());
    this.open--;
    if (this.paid >= this.behaviour.payAtMost) return;
    this.step({ type: 'piece-good', piece });
    this.fill();
  }
}

/** The torrent as a buyer sees it, whose limits follow its exchange. */
function sideFor(metainfo: Metainfo, holder: { readonly buyer?: TestBuyer }): TorrentSide {
  return {
    infoHash: metainfo.infoHash,
    pieceCount: metainfo.pieceCount,
    have: new PieceSet(metainfo.pieceCount),
    extended: { limitBytes: (id) => holder.buyer?.limitBytes(id) ?? 256 },
  };
}
