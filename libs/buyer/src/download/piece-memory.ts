/** Buffers kept for the next piece: about as many as pieces arrive and are written at once. */
const MAX_KEPT = 32;
/** Bytes kept in all; large pieces get fewer. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
/** Smaller messages are no pieces worth keeping memory for. */
const LEAST_BYTES = 16 * 1024;

/**
 * Memory for arriving pieces, used again and again: fresh memory for each would have to be cleared by the system and
 * collected, which costs as much as hashing it.
 */
export class PieceMemory {
  private readonly kept = new Map<number, ArrayBuffer[]>();
  private keptBytes = 0;
  /** What is out: a small piece may lie in a chunk of the socket instead, together with other messages. */
  private readonly given = new WeakSet<ArrayBufferLike>();

  allocate(lengthBytes: number): Uint8Array {
    const known = this.kept.get(lengthBytes)?.pop();
    if (known !== undefined) this.keptBytes -= lengthBytes;
    const buffer = known ?? new ArrayBuffer(lengthBytes);
    this.given.add(buffer);
    return new Uint8Array(buffer);
  }

  /** Takes back the memory behind a piece that nobody reads any more; passes over what it has not given. */
  release({ buffer }: Uint8Array): void {
    const { byteLength } = buffer;
    if (!this.given.delete(buffer) || !(buffer instanceof ArrayBuffer) || byteLength < LEAST_BYTES) return;
    const same = this.kept.get(byteLength) ?? [];
    if (same.length >= MAX_KEPT || this.keptBytes + byteLength > MAX_KEPT_BYTES) return;
    same.push(buffer);
    this.kept.set(byteLength, same);
    this.keptBytes += byteLength;
  }
}
