import type { CloseReason } from './close-reason.js';
import { judgeStandardFrame, MAX_EXTENDED_HANDSHAKE_BYTES, MessageId, type FrameExpectations } from './frame-rules.js';

/** The owner's word on extended messages, asked before anything of a message is buffered. */
export interface ExtendedPolicy {
  /** Most payload bytes accepted for an id (1 … 255) just now; undefined when the id is not taken at all. */
  limitBytes(id: number): number | undefined;
  /** Memory for a payload that does not lie in one chunk; default fresh memory. Must have exactly `lengthBytes`. */
  allocate?(id: number, lengthBytes: number): Uint8Array;
}

export interface FrameHandlers {
  /** A whole standard frame, length prefix included; also the keep-alive. */
  standard(frame: Uint8Array): void;
  /** A whole extended message. */
  extended(id: number, payload: Uint8Array): void;
}

type Violation = Extract<
  CloseReason,
  'frame-too-large' | 'frame-malformed' | 'protocol-violation' | 'extended-too-large' | 'extended-id-unknown'
>;

/** Length prefix, message id and, for extended messages, the extended id: all that is looked at before buffering. */
const MAX_HEADER_BYTES = 6;

/**
 * Cuts a peer's byte stream, after the handshake, into frames. A frame's length is judged as soon as its header is
 * there, so a peer can't make us hold more than its message is allowed to have. Frames that lie in one chunk are handed
 * on as views of it; larger ones are gathered in memory of exactly their size, each byte copied once.
 */
export class FrameSplitter {
  private readonly header = new Uint8Array(MAX_HEADER_BYTES);
  private readonly view = new DataView(this.header.buffer);
  private headerBytes = 0;
  /** The frame being gathered. */
  private body: Uint8Array | undefined;
  private bodyBytes = 0;
  private bodyExtendedId: number | undefined;
  private skipBytes = 0;
  private stopped = false;

  constructor(
    private readonly expectations: FrameExpectations,
    private readonly policy: ExtendedPolicy,
    private readonly handlers: FrameHandlers,
  ) {}

  /** Bytes of the frame being gathered, reserved as a whole. */
  get reservedBytes(): number {
    return this.body?.length ?? 0;
  }

  /** Where the rest of the frame being gathered goes, for who can read it there: then `filled` instead of `push`. */
  get room(): Uint8Array | undefined {
    return this.body?.subarray(this.bodyBytes);
  }

  filled(count: number): void {
    if (this.body === undefined || this.stopped) return;
    this.bodyBytes += count;
    this.finishBody(this.body);
  }

  /** Handles no more frames, not even the rest of the chunk being pushed. */
  stop(): void {
    this.stopped = true;
    this.body = undefined;
  }

  /** Takes the next chunk. Returns the violation that ends the connection, or undefined. */
  push(chunk: Uint8Array): Violation | undefined {
    let at = 0;
    while (at < chunk.length && !this.stopped) {
      if (this.skipBytes > 0) {
        const skipped = Math.min(this.skipBytes, chunk.length - at);
        this.skipBytes -= skipped;
        at += skipped;
      } else if (this.body !== undefined) {
        at += this.gather(this.body, chunk, at);
      } else {
        const outcome = this.readHeader(chunk, at);
        if (typeof outcome === 'string') {
          this.stop();
          return outcome;
        }
        at = outcome;
      }
    }
    return undefined;
  }

  private gather(body: Uint8Array, chunk: Uint8Array, at: number): number {
    const count = Math.min(body.length - this.bodyBytes, chunk.length - at);
    body.set(chunk.subarray(at, at + count), this.bodyBytes);
    this.bodyBytes += count;
    this.finishBody(body);
    return count;
  }

  private finishBody(body: Uint8Array): void {
    if (this.bodyBytes < body.length) return;
    const id = this.bodyExtendedId;
    this.body = undefined;
    if (id === undefined) this.handlers.standard(body);
    else this.handlers.extended(id, body);
  }

  /** Reads on in the header; returns where the chunk continues, or the violation. */
  private readHeader(chunk: Uint8Array, from: number): number | Violation {
    let at = from;
    let wanted = 4;
    for (;;) {
      while (this.headerBytes < wanted) {
        const byte = chunk[at];
        if (byte === undefined) return at;
        this.header[this.headerBytes++] = byte;
        at++;
      }
      const length = this.view.getUint32(0);
      const id = this.view.getUint8(4);
      const extendedId = this.view.getUint8(5);
      if (length === 0) {
        this.headerBytes = 0;
        this.handlers.standard(KEEP_ALIVE);
        return at;
      }
      if (wanted === 4) {
        wanted = 5;
      } else if (id !== MessageId.extended) {
        this.headerBytes = 0;
        return this.beginStandard(length, id, chunk, at);
      } else if (length < 2) {
        return 'frame-malformed';
      } else if (wanted === 5) {
        wanted = 6;
      } else {
        this.headerBytes = 0;
        return this.beginExtended(length - 2, extendedId, chunk, at);
      }
    }
  }

  private beginStandard(length: number, id: number, chunk: Uint8Array, at: number): number | Violation {
    const verdict = judgeStandardFrame(length, id, this.expectations);
    if (verdict === 'skip') {
      this.skipBytes = length - 1;
      return at;
    }
    if (verdict !== 'take') return verdict;
    const frame = new Uint8Array(4 + length);
    frame.set(this.header.subarray(0, 5));
    this.begin(frame, 5, undefined);
    return this.bodyBytes === frame.length ? at + this.gather(frame, chunk, at) : at;
  }

  private beginExtended(length: number, id: number, chunk: Uint8Array, at: number): number | Violation {
    const limit = id === 0 ? MAX_EXTENDED_HANDSHAKE_BYTES : this.policy.limitBytes(id);
    if (limit === undefined) return 'extended-id-unknown';
    if (length > limit) return 'extended-too-large';
    if (length <= chunk.length - at) {
      this.handlers.extended(id, chunk.subarray(at, at + length));
      return at + length;
    }
    this.begin(this.policy.allocate?.(id, length) ?? new Uint8Array(length), 0, id);
    return at;
  }

  private begin(body: Uint8Array, bytesPresent: number, extendedId: number | undefined): void {
    this.body = body;
    this.bodyBytes = bytesPresent;
    this.bodyExtendedId = extendedId;
  }
}

const KEEP_ALIVE = new Uint8Array(4);
