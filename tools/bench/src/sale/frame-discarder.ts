/** Above every control message and below a standard block of 16 KiB: larger frames are counted and thrown away. */
const MAX_KEPT_BYTES = 16_000;
const HANDSHAKE_BYTES = 68;
/** Length prefix, message id, and for extended messages the extended id. */
const HEAD_BYTES = 6;

export interface FrameHandlers {
  readonly handshake: () => void;
  /** A whole control frame without its length prefix. */
  readonly control: (body: Uint8Array) => void;
  /** A bulk frame has arrived: its first two bytes after the length, and its length. */
  readonly bulk: (id: number, extendedId: number, lengthBytes: number) => void;
}

/** Splits what a seller sends, without keeping a byte of a piece: a buyer that costs as little as one can. */
export class FrameDiscarder {
  private readonly kept = Buffer.alloc(4 + MAX_KEPT_BYTES);
  private keptBytes = 0;
  private shakenHands = false;
  private bulk: { id: number; extendedId: number; lengthBytes: number; restBytes: number } | undefined;

  constructor(private readonly handlers: FrameHandlers) {}

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) at += this.bulk === undefined ? this.collect(chunk, at) : this.skip(chunk, at);
  }

  private skip(chunk: Uint8Array, at: number): number {
    const { bulk } = this;
    if (bulk === undefined) return 0;
    const count = Math.min(bulk.restBytes, chunk.length - at);
    bulk.restBytes -= count;
    if (bulk.restBytes === 0) {
      this.bulk = undefined;
      this.handlers.bulk(bulk.id, bulk.extendedId, bulk.lengthBytes);
    }
    return count;
  }

  private collect(chunk: Uint8Array, at: number): number {
    const wanted = this.wantedBytes();
    const count = Math.min(wanted - this.keptBytes, chunk.length - at);
    this.kept.set(chunk.subarray(at, at + count), this.keptBytes);
    this.keptBytes += count;
    if (this.keptBytes === this.wantedBytes()) this.complete();
    return count;
  }

  /** Bytes to collect before the next decision. */
  private wantedBytes(): number {
    if (!this.shakenHands) return HANDSHAKE_BYTES;
    if (this.keptBytes < 4) return 4;
    const lengthBytes = this.kept.readUInt32BE(0);
    return lengthBytes > MAX_KEPT_BYTES ? HEAD_BYTES : 4 + lengthBytes;
  }

  private complete(): void {
    if (!this.shakenHands) {
      this.shakenHands = true;
      this.keptBytes = 0;
      return this.handlers.handshake();
    }
    const lengthBytes = this.kept.readUInt32BE(0);
    if (this.keptBytes === 4 && lengthBytes > 0) return;
    this.keptBytes = 0;
    if (lengthBytes > MAX_KEPT_BYTES) {
      this.bulk = {
        id: this.kept.readUInt8(4),
        extendedId: this.kept.readUInt8(5),
        lengthBytes,
        restBytes: lengthBytes - 2,
      };
    } else if (lengthBytes > 0) {
      this.handlers.control(Uint8Array.from(this.kept.subarray(4, 4 + lengthBytes)));
    }
  }
}
