import Wire from 'bittorrent-protocol';

export interface StandardWireHandlers {
  /** Bytes to send: whole frames, or the parts of one frame in direct succession. */
  send(bytes: Uint8Array): void;
  /** The peer broke the standard protocol. */
  violation(): void;
}

const IGNORE_RESULT = (): void => undefined;

/**
 * The standard part of the protocol, by bittorrent-protocol: handshake, choking, interest, have and bitfield, requests
 * and their rejection, the fast extension. It is fed whole frames and its output is taken at its seams, synchronously:
 * its own stream would copy every chunk into one buffer, and it would parse extended messages from strangers with a
 * bencode reader that some bytes send into an endless loop. Extended messages therefore never reach it.
 */
export class StandardWire extends Wire {
  private ending = false;

  constructor(private readonly handlers: StandardWireHandlers) {
    super('tcp');
  }

  /** Takes one whole frame from the peer, or the handshake. */
  feed(frame: Uint8Array): void {
    this._write(frame, IGNORE_RESULT);
  }

  /** Releases its timers and stream. */
  dispose(): void {
    this.ending = true;
    this.destroy();
  }

  /** The library's way to say that the peer broke a rule, and part of its destruction. */
  override end(data?: Uint8Array): unknown {
    if (!this.ending) {
      this.ending = true;
      this.handlers.violation();
    }
    return super.end(data);
  }

  protected override _push(data: Uint8Array): boolean {
    if (!this.ending) this.handlers.send(data);
    return true;
  }

  /** The exchange decides when and what (wire protocol §3: a repeated handshake makes a peer hang up). */
  protected override _sendExtendedHandshake(): void {
    // Sent by the owner through Peer.sendExtendedHandshake.
  }
}
