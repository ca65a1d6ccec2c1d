import { EXTENDED_MESSAGE_ID } from './limits.js';

/** One peer-wire frame as it arrived: a BEP 10 extended message, or anything else (keep-alive, have, piece …). */
export type PeerFrame =
  | { readonly kind: 'extended'; readonly extendedId: number; readonly payload: Uint8Array }
  | { readonly kind: 'other'; readonly body: Uint8Array };

/** Why a stream of bytes can't be split further. */
export type FrameErrorCode =
  /** A frame declares more bytes than the caller's limit; nothing after it can be trusted. */
  'frame-too-long';

export type SplitResult =
  | { readonly ok: true; readonly frames: readonly PeerFrame[] }
  | {
      readonly ok: false;
      readonly code: FrameErrorCode;
      /** The frames that were complete before the offending one. */
      readonly frames: readonly PeerFrame[];
      readonly declaredBytes: number;
    };

const LENGTH_BYTES = 4;

const toFrame = (body: Uint8Array): PeerFrame => {
  const extendedId = body[1];
  if (body[0] !== EXTENDED_MESSAGE_ID || extendedId === undefined) return { kind: 'other', body };
  return { kind: 'extended', extendedId, payload: body.subarray(2) };
};

/**
 * Splits the bytes after the BitTorrent handshake into frames (wire protocol §1), as they arrive. Holds at most one
 * incomplete frame of at most `limitBytes`; a longer one is refused as soon as its length is seen, after which the
 * splitter stays failed.
 */
export class FrameSplitter {
  readonly #limitBytes: number;
  #length: number | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #failedAtBytes: number | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of an incomplete frame held back until more arrive. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  /** Takes the next bytes of the stream and returns the frames they complete. Frames may be views into `chunk`. */
  push(chunk: Uint8Array): SplitResult {
    const frames: PeerFrame[] = [];
    if (this.#failedAtBytes !== undefined) return this.#failure(frames, this.#failedAtBytes);
    if (chunk.length > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
    }
    for (;;) {
      if (this.#length === undefined) {
        const prefix = this.#take(LENGTH_BYTES);
        if (prefix === undefined) break;
        this.#length = new DataView(prefix.buffer, prefix.byteOffset).getUint32(0);
        if (this.#length > this.#limitBytes) return this.#failure(frames, this.#length);
      }
      const body = this.#take(this.#length);
      if (body === undefined) break;
      this.#length = undefined;
      frames.push(toFrame(body));
    }
    return { ok: true, frames };
  }

  #failure(frames: readonly PeerFrame[], declaredBytes: number): SplitResult {
    this.#failedAtBytes = declaredBytes;
    this.#held = [];
    this.#heldBytes = 0;
    return { ok: false, code: 'frame-too-long', frames, declaredBytes };
  }

  /** The next `count` bytes, joined only when they came in several chunks; undefined while too few are there. */
  #take(count: number): Uint8Array | undefined {
    if (this.#heldBytes < count) return undefined;
    if (this.#held.length > 1 && (this.#held[0]?.length ?? 0) < count) this.#held = [this.#join()];
    const first = this.#held[0] ?? new Uint8Array(0);
    const taken = first.subarray(0, count);
    this.#heldBytes -= count;
    if (first.length > count) this.#held[0] = first.subarray(count);
    else this.#held.shift();
    return taken;
  }

  #join(): Uint8Array {
    const joined = new Uint8Array(this.#heldBytes);
    let at = 0;
    for (const chunk of this.#held) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }
}
