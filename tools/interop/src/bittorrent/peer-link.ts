import { connect, type Socket } from 'node:net';
import { bestEcdsa } from '@seedfleet/payment-channel';
import {
  decodeMessage,
  encodeFrame,
  FrameSplitter,
  MESSAGE_ID,
  type Message,
  type MessageIds,
  type PeerFrame,
} from '@seedfleet/wire';
import { HANDSHAKE_BYTES, isForeign, PLAIN_ID } from './libtorrent.js';

/** Far above any piece of a test. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
const ecdsa = bestEcdsa();

/** HOST:PORT. */
export type Address = string;

/** One raw TCP connection that speaks peer-wire frames. It decides nothing: what is said and when is its owner's. */
export class PeerLink {
  /** The 68 bytes that the other side opened with. */
  remoteHandshake: Uint8Array | undefined;
  isClosed = false;
  /** Names of what was heard, in order, for messages of failures and for comparisons. */
  readonly heard: string[] = [];
  /** Bytes of `piece` messages: what was given away for nothing. */
  freeBytes = 0;
  onHandshake: () => void = () => undefined;
  onExtendedHandshake: (body: Uint8Array) => void = () => undefined;
  onMessage: (message: Message) => void = () => undefined;
  /** When set, extended messages come here undecoded, and none is judged. */
  onRaw: ((id: number, payload: Uint8Array) => void) | undefined;
  onClosed: () => void = () => undefined;

  private readonly splitter = new FrameSplitter(MAX_FRAME_BYTES);
  private opening: Buffer = Buffer.alloc(0);

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.onBytes(chunk));
    socket.on('error', () => undefined); // a reset is an end like any other
    socket.on('close', () => {
      this.isClosed = true;
      this.onClosed();
    });
  }

  /** @param localAddress of the many that loopback has, so that a buyer can be somebody else */
  static dial(address: Address, localAddress?: string): PeerLink {
    const colon = address.lastIndexOf(':');
    return new PeerLink(
      connect({
        host: address.slice(0, colon),
        port: Number(address.slice(colon + 1)),
        ...(localAddress === undefined ? {} : { localAddress }),
      }),
    );
  }

  write(...frames: readonly Uint8Array[]): void {
    // One write, as libtorrent's send buffer leaves in one packet.
    if (!this.isClosed) this.socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  send(...messages: readonly Message[]): void {
    if (messages.some(({ type }) => type === 'full_piece')) messages.forEach((message) => this.sendUncopied(message));
    else this.write(...messages.map((message) => frameOf(message)));
  }

  /** Head and body in one system call, as if they had been put together first. */
  private sendUncopied(message: Message): void {
    if (this.isClosed) return;
    const { header, body } = encodeFrame(message, MESSAGE_ID);
    this.socket.cork();
    this.socket.write(header);
    if (body !== undefined) this.socket.write(body);
    this.socket.uncork();
  }

  /** Ends it the way a killed process does. */
  destroy(): void {
    this.socket.resetAndDestroy();
  }

  /** Ends it in order. */
  end(): void {
    this.socket.end();
  }

  private onBytes(chunk: Buffer): void {
    let bytes = chunk;
    if (this.remoteHandshake === undefined) {
      this.opening = Buffer.concat([this.opening, chunk]);
      if (this.opening.length < HANDSHAKE_BYTES) return;
      this.remoteHandshake = this.opening.subarray(0, HANDSHAKE_BYTES);
      bytes = this.opening.subarray(HANDSHAKE_BYTES);
      this.heard.push('handshake');
      this.onHandshake();
    }
    const split = this.splitter.push(bytes);
    for (const frame of split.frames) this.onFrame(frame);
    if (!split.ok) this.destroy();
  }

  private onFrame(frame: PeerFrame): void {
    if (frame.kind === 'other') {
      this.heard.push(frame.body.length === 0 ? 'keep-alive' : `bt_${frame.body[0]}`);
      if (frame.body[0] === PLAIN_ID.piece) this.freeBytes += frame.body.length;
      return;
    }
    if (frame.extendedId === 0) {
      this.heard.push('extended-handshake');
      return this.onExtendedHandshake(frame.payload);
    }
    if (this.onRaw !== undefined) return this.onRaw(frame.extendedId, frame.payload);
    // Peer exchange and the like, which a client's other plug-ins take.
    if (isForeign(frame.extendedId)) return;
    const decoded = decodeMessage(frame.extendedId, frame.payload, (key) => ecdsa.isPoint(key));
    if (!decoded.ok || decoded.trailingBytes > 0) {
      this.heard.push(`bad:${frame.extendedId}`);
      return this.destroy();
    }
    this.heard.push(decoded.message.type);
    this.onMessage(decoded.message);
  }
}

/** A whole frame. */
export function frameOf(message: Message, ids: MessageIds = MESSAGE_ID): Uint8Array {
  const { header, body } = encodeFrame(message, ids);
  return body === undefined ? header : Buffer.concat([header, body]);
}
