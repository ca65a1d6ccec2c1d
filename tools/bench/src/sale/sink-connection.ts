import { connect, type Socket } from 'node:net';
import { encryptStream, type PeerStream } from '@seedfleet/bittorrent';
import { FrameDiscarder } from './frame-discarder.js';

/** One buffer for all connections: what arrives is looked at and forgotten before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(1024 * 1024);
const EXTENDED = 20;

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** 40 hexadecimal digits. */
  readonly infoHash: string;
  /** Whether everything is encrypted (RC4). */
  readonly encrypted: boolean;
  readonly onFailure: (why: string) => void;
}

/** A BitTorrent connection that throws pieces away. What is said on it is the subclass's matter. */
export abstract class SinkConnection {
  private readonly socket: Socket;
  /** What is written to: the socket, or the encryption over it, which takes everything only once it stands. */
  private line: Pick<PeerStream, 'write'>;

  constructor(private readonly options: ConnectionOptions) {
    const discarder = new FrameDiscarder({
      handshake: () => this.onHandshake(),
      control: (body) => this.onControl(body),
      bulk: (id, extendedId, lengthBytes) => this.onBulk(id, extendedId, lengthBytes),
    });
    const { host, port } = options;
    const onread = {
      buffer: READ_BUFFER,
      callback: (bytes: number, buffer: Uint8Array) => {
        discarder.push(buffer.subarray(0, bytes));
        return true;
      },
    };
    this.socket = connect({ host, port, noDelay: true, ...(options.encrypted ? {} : { onread }) });
    this.line = this.socket;
    this.socket.on('error', (failure) => options.onFailure(failure.message));
    this.socket.on('end', () => options.onFailure('the seller closed the connection'));
    if (options.encrypted) void this.encrypt(discarder);
    else this.send(this.handshake());
  }

  close(): Promise<void> {
    this.socket.removeAllListeners('end');
    if (this.socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.socket.once('close', resolve);
      this.socket.destroy();
    });
  }

  protected abstract onHandshake(): void;
  protected abstract onControl(body: Uint8Array): void;
  protected abstract onBulk(id: number, extendedId: number, lengthBytes: number): void;

  protected send(bytes: Uint8Array): void {
    this.line.write(bytes);
  }

  private async encrypt(discarder: FrameDiscarder): Promise<void> {
    const outcome = await encryptStream(this.socket, this.options.infoHash, this.handshake());
    if (!outcome.ok) return this.options.onFailure(outcome.error);
    const { stream, rest } = outcome.value;
    this.line = stream;
    stream.on('data', (chunk) => discarder.push(chunk));
    discarder.push(rest);
    stream.resume();
  }

  protected sendExtended(id: number, payload: Uint8Array): void {
    const head = Buffer.alloc(6);
    head.writeUInt32BE(2 + payload.length);
    head.writeUInt8(EXTENDED, 4);
    head.writeUInt8(id, 5);
    this.send(Buffer.concat([head, payload]));
  }

  private handshake(): Uint8Array {
    const reserved = Buffer.alloc(8);
    reserved[5] = 0x10;
    const peerId = `-SFSINK-${String(Math.trunc(Math.random() * 1e12)).padStart(12, '0')}`;
    return Buffer.concat([
      Buffer.from('\u0013BitTorrent protocol', 'latin1'),
      reserved,
      Buffer.from(this.options.infoHash, 'hex'),
      Buffer.from(peerId, 'latin1'),
    ]);
  }
}

export interface Progress {
  readonly onWarm: () => void;
  readonly onDone: () => void;
}

/** Counts the pieces of one connection: the first on its own, then a number of them, with so many requests open. */
export class PieceRun {
  arrived = 0;
  private next: number;
  private requested = 0;
  private going = false;

  constructor(
    private readonly shape: {
      readonly firstPiece: number;
      readonly pieceCount: number;
      /** Without the first one. */
      readonly pieces: number;
      readonly requestsOpen: number;
    },
    private readonly progress: Progress,
    private readonly request: (piece: number) => void,
  ) {
    this.next = shape.firstPiece;
  }

  warmUp(): void {
    this.ask();
  }

  go(): void {
    this.going = true;
    for (let open = 0; open < this.shape.requestsOpen; open += 1) this.ask();
  }

  onPiece(): void {
    this.arrived += 1;
    if (!this.going) return this.progress.onWarm();
    this.ask();
    if (this.arrived === this.shape.pieces + 1) this.progress.onDone();
  }

  private ask(): void {
    if (this.requested > this.shape.pieces) return;
    this.requested += 1;
    this.request(this.next);
    this.next = (this.next + 1) % this.shape.pieceCount;
  }
}
