import { EventEmitter } from 'node:events';
import type { PieceSet } from '../piece-set.js';
import type { CloseReason } from './close-reason.js';
import { MessageId, type FrameExpectations } from './frame-rules.js';
import { FrameSplitter, type ExtendedPolicy } from './frame-splitter.js';
import type { RemoteHandshake } from './handshake-bytes.js';
import type { Lane, Outbox } from './outbox.js';
import type { StandardWire } from './standard-wire.js';
import type { PeerStream } from './stream.js';

/** One torrent as a connection sees it. */
export interface TorrentSide {
  /** Lowercase hex. */
  readonly infoHash: string;
  /** 0 while it is unknown, as of a magnet link. */
  readonly pieceCount: number;
  /** What this side announces; sellers have everything. */
  readonly have: PieceSet;
  /** Which extended messages are taken, and how large. */
  readonly extended: ExtendedPolicy;
  /** Whether blocks will be asked for. Default false: then a peer that sends one is closed. */
  readonly takesBlocks?: boolean;
}

export interface PeerEvents {
  /** The payload of an extended handshake (BEP 10), undecoded; any of several. */
  extendedHandshake: [body: Uint8Array];
  /** Any other extended message. `payload` is valid beyond the event unless the owner's `allocate` reuses it. */
  extended: [id: number, payload: Uint8Array];
  /** The peer announced pieces; ask `remoteHas`. */
  remotePieces: [];
  /** The peer would like pieces for nothing. */
  interested: [];
  /** The peer asks for a block; only while it is unchoked. Nothing is checked but the frame's length. */
  blockRequest: [block: Block];
  /** The peer no longer wants a block. */
  blockCancel: [block: Block];
  /** The peer lets us ask for blocks. */
  unchoked: [];
  /** It does so no more: what was asked for will not come. */
  choked: [];
  /** A block has come, asked for or not; `data` is valid during the event only. */
  block: [block: Block, data: Uint8Array];
  /** A block that was asked for will not come (BEP 6). */
  blockRejected: [block: Block];
  /** The connection is over; nothing follows. */
  closed: [reason: CloseReason];
}

/** Part of a piece, as BitTorrent's standard protocol asks for it. */
export interface Block {
  readonly piece: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export type SendVerdict =
  | 'queued'
  /** The connection is over. */
  | 'closed'
  /** Too much waits already; for control messages the connection is closed with `send-queue-full`. */
  | 'queue-full';

export interface SendOptions {
  /** Default `control`. */
  readonly lane?: Lane;
  /** Called once: true when the system has taken all bytes, so that `body` may be reused; false when it never will. */
  readonly onFlushed?: (sent: boolean) => void;
}

/** What message stream encryption covers on a connection. */
export type Protection =
  | 'none'
  /** The handshake; both sides agreed on plaintext after it. */
  | 'handshake'
  | 'everything';

/** Keep-alives go out at less than half of the 120 s after which peers and middleboxes give up (hazard H40). */
const KEEP_ALIVE_MS = 50_000;
/** Peers send keep-alives at least every two minutes; longer silence means nobody is there. */
const SILENCE_LIMIT_MS = 180_000;
/** How long an orderly end waits for a peer that does not read. */
const FINISH_TIMEOUT_MS = 5_000;

export interface PeerLink {
  readonly socket: PeerStream;
  readonly protection: Protection;
  readonly outbox: Outbox;
  readonly wire: StandardWire;
  readonly direction: 'inbound' | 'outbound';
  readonly torrent: TorrentSide;
  readonly remote: RemoteHandshake;
  /** Bytes that arrived behind the handshake. */
  readonly rest: Uint8Array;
}

/**
 * A BitTorrent connection after the handshake, for one torrent. Unless its owner unchokes, nothing is given away by the
 * standard protocol (hazard H36). It leaves every extended message to its owner. Nothing is read before `start`.
 */
export class Peer extends EventEmitter<PeerEvents> {
  readonly direction: 'inbound' | 'outbound';
  readonly infoHash: string;
  readonly protection: Protection;
  /** 20 bytes. */
  readonly remotePeerId: Uint8Array;
  /** IPv4 in dotted form even on a dual-stack listener. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Without BEP 10 the peer can't trade. */
  readonly supportsExtended: boolean;

  private readonly splitter: FrameSplitter;
  private lastReceivedMs = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private reason: CloseReason | undefined;
  private finishing = false;
  private received = 0;

  constructor(private readonly link: PeerLink) {
    super();
    this.direction = link.direction;
    this.infoHash = link.torrent.infoHash;
    this.protection = link.protection;
    this.remotePeerId = link.remote.peerId;
    this.supportsExtended = link.remote.supportsExtended;
    this.remoteAddress = plainAddress(link.socket.remoteAddress ?? '');
    this.remotePort = link.socket.remotePort ?? 0;
    this.splitter = new FrameSplitter(expectationsOf(link.torrent), link.torrent.extended, {
      standard: (frame) => this.takeStandard(frame),
      extended: (id, payload) => {
        if (id === 0) this.emit('extendedHandshake', payload);
        else this.emit('extended', id, payload);
      },
    });
    for (const event of ['have', 'bitfield', 'have-all']) link.wire.on(event, () => this.emit('remotePieces'));
    link.wire.on('interested', () => this.emit('interested'));
    link.wire.on('unchoke', () => this.emit('unchoked'));
    link.wire.on('choke', () => this.emit('choked'));
    link.socket.on('close', () => this.close(this.finishing ? 'local' : 'remote'));
    link.socket.on('error', () => this.close('socket-error'));
    link.socket.on('end', () => this.close(this.finishing ? 'local' : 'remote'));
  }

  get closedReason(): CloseReason | undefined {
    return this.reason;
  }

  /** Bytes waiting to be taken by the system: pieces, tests and control messages. */
  get queuedBytes(): number {
    return this.link.outbox.queuedBytes;
  }

  /** Bytes reserved for a message that is still arriving. */
  get reservedBytes(): number {
    return this.splitter.reservedBytes;
  }

  get receivedBytes(): number {
    return this.received;
  }

  /** Whether the peer announced a piece by bitfield, have or have-all. */
  remoteHas(piece: number): boolean {
    return this.link.wire.peerPieces.get(piece);
  }

  /** Announces our pieces and begins to read. Attach listeners first. */
  start(): void {
    if (this.link.socket.destroyed) this.close('remote');
    if (this.reason !== undefined) return;
    this.announcePieces();
    this.timer = setInterval(() => this.tick(), KEEP_ALIVE_MS);
    this.timer.unref();
    this.take(this.link.rest);
    if (this.reason !== undefined) return;
    this.link.socket.on('data', (chunk: Buffer) => this.take(chunk));
    this.link.socket.readInto?.({
      room: () => (this.reason === undefined ? this.splitter.room : undefined),
      filled: (count) => this.takeFilled(count),
    });
    this.link.socket.resume();
  }

  /** Sends an extended handshake with the given bencoded body. When, and how often, is the exchange's decision. */
  sendExtendedHandshake(body: Uint8Array): SendVerdict {
    return this.sendExtended(0, body);
  }

  /**
   * Sends an extended message whose payload is `head` followed by `body`. `body` is not copied and must stay unchanged
   * until `onFlushed`.
   */
  sendExtended(id: number, head: Uint8Array, body?: Uint8Array, options: SendOptions = {}): SendVerdict {
    const frameHead = new Uint8Array(6 + head.length);
    new DataView(frameHead.buffer).setUint32(0, 2 + head.length + (body?.length ?? 0));
    frameHead[4] = MessageId.extended;
    frameHead[5] = id;
    frameHead.set(head, 6);
    return this.sendFrame(frameHead, body, options);
  }

  /** Like `sendExtended`, for a head that already begins with the frame's length, the id 20 and the extended id. */
  sendFrame(head: Uint8Array, body?: Uint8Array, options: SendOptions = {}): SendVerdict {
    if (this.reason !== undefined || this.finishing) {
      options.onFlushed?.(false);
      return 'closed';
    }
    const frame = {
      head,
      ...(body === undefined ? {} : { body }),
      ...(options.onFlushed === undefined ? {} : { onFlushed: options.onFlushed }),
    };
    if (this.link.outbox.push(options.lane ?? 'control', frame)) return 'queued';
    options.onFlushed?.(false);
    this.close('send-queue-full');
    return 'queue-full';
  }

  /** Whether the peer would like pieces for nothing. */
  get isInterested(): boolean {
    return this.link.wire.peerInterested;
  }

  /** Lets the peer ask for blocks: from now on the owner answers each `blockRequest`, by `sendBlock` or `rejectBlock`. */
  unchoke(): void {
    if (this.reason === undefined) this.link.wire.unchoke();
  }

  /** The peer may ask no more; what it has asked for is for the owner to reject. */
  choke(): void {
    if (this.reason === undefined) this.link.wire.choke();
  }

  /** Sends a block; `data` is not copied and must stay unchanged until `onFlushed`. */
  sendBlock({ piece, offsetBytes }: Block, data: Uint8Array, onFlushed: (sent: boolean) => void): SendVerdict {
    const head = new Uint8Array(13);
    const view = new DataView(head.buffer);
    view.setUint32(0, 9 + data.length);
    head[4] = MessageId.piece;
    view.setUint32(5, piece);
    view.setUint32(9, offsetBytes);
    return this.sendFrame(head, data, { lane: 'bulk', onFlushed });
  }

  /** Says that a block will not come; without the fast extension (BEP 6) there is no way to say so. */
  rejectBlock({ piece, offsetBytes, lengthBytes }: Block): void {
    if (this.reason === undefined && this.link.wire.hasFast) this.link.wire.reject(piece, offsetBytes, lengthBytes);
  }

  /** Whether the peer takes no requests just now. */
  get isChoking(): boolean {
    return this.link.wire.peerChoking;
  }

  /** Tells the peer that we would like pieces for nothing. */
  showInterest(): void {
    if (this.reason === undefined) this.link.wire.interested();
  }

  /** Asks for a block; it comes as `block`, or as `blockRejected`, or never. Only while the peer is not choking. */
  requestBlock({ piece, offsetBytes, lengthBytes }: Block): SendVerdict {
    const frame = new Uint8Array(17);
    const view = new DataView(frame.buffer);
    view.setUint32(0, 13);
    frame[4] = MessageId.request;
    view.setUint32(5, piece);
    view.setUint32(9, offsetBytes);
    view.setUint32(13, lengthBytes);
    return this.sendFrame(frame);
  }

  /** Tells the peer about a piece that a download has completed. */
  announcePiece(piece: number): void {
    if (this.reason === undefined) this.link.wire.have(piece);
  }

  /** Stops reading for a while: the peer's bytes then wait in the system, and soon at the peer. */
  pause(): void {
    this.link.socket.pause();
  }

  resume(): void {
    if (this.reason === undefined) this.link.socket.resume();
  }

  /** Ends the connection at once; what has not left is dropped. */
  close(reason: CloseReason = 'local'): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    clearInterval(this.timer);
    this.splitter.stop();
    this.link.wire.dispose();
    this.link.socket.destroy();
    this.link.outbox.close();
    this.emit('closed', reason);
  }

  /** Ends the connection once everything queued has left, or after 5 s. */
  async finish(): Promise<void> {
    if (this.reason !== undefined || this.finishing) return;
    this.finishing = true;
    const late = setTimeout(() => this.close(), FINISH_TIMEOUT_MS);
    await this.link.outbox.drained();
    if (this.reason === undefined) await new Promise<void>((resolve) => this.link.socket.end(resolve));
    clearTimeout(late);
    this.close();
  }

  private announcePieces(): void {
    const { wire, torrent, remote } = this.link;
    if (torrent.have.isFull && remote.supportsFast) wire.haveAll();
    else if (torrent.have.count === 0 && remote.supportsFast) wire.haveNone();
    else if (torrent.have.count > 0) wire.bitfield(torrent.have.toBitfield());
  }

  private takeFilled(count: number): void {
    if (this.reason !== undefined) return;
    this.lastReceivedMs = performance.now();
    this.received += count;
    this.splitter.filled(count);
  }

  private take(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.reason !== undefined) return;
    this.lastReceivedMs = performance.now();
    this.received += chunk.length;
    const violation = this.splitter.push(chunk);
    if (violation !== undefined) this.close(violation);
  }

  private takeStandard(frame: Uint8Array): void {
    if (frame[4] === MessageId.have && frame.length === 9) {
      const piece = new DataView(frame.buffer, frame.byteOffset).getUint32(5);
      if (piece >= this.link.torrent.pieceCount) return this.close('frame-malformed');
    }
    if (frame[4] === MessageId.piece) {
      const view = new DataView(frame.buffer, frame.byteOffset);
      const data = frame.subarray(13);
      this.emit('block', { piece: view.getUint32(5), offsetBytes: view.getUint32(9), lengthBytes: data.length }, data);
      return;
    }
    if (frame[4] === MessageId.reject) {
      this.emit('blockRejected', blockOf(frame));
      return;
    }
    // Answered by the owner, from its own memory: the library would keep every request, and copy every block.
    if (frame[4] === MessageId.request && !this.link.wire.amChoking) {
      this.emit('blockRequest', blockOf(frame));
      return;
    }
    if (frame[4] === MessageId.cancel) this.emit('blockCancel', blockOf(frame));
    this.link.wire.feed(frame);
  }

  private tick(): void {
    if (performance.now() - this.lastReceivedMs > SILENCE_LIMIT_MS) this.close('silent');
    else this.link.wire.keepAlive();
  }
}

function expectationsOf({ pieceCount, takesBlocks }: TorrentSide): FrameExpectations {
  return { pieceCount, takesBlocks: takesBlocks ?? false };
}

function blockOf(frame: Uint8Array): Block {
  const view = new DataView(frame.buffer, frame.byteOffset);
  return { piece: view.getUint32(5), offsetBytes: view.getUint32(9), lengthBytes: view.getUint32(13) };
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
