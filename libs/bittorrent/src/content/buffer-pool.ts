/** Memory for one piece, shared with the threads that fill it. */
export interface PieceMemory {
  readonly shared: SharedArrayBuffer;
  readonly bytes: Uint8Array;
}

/** Most reads that may wait for memory; each is one request of one connection. */
const MAX_WAITING = 4096;

interface Waiter {
  readonly sizeBytes: number;
  readonly resolve: (memory: PieceMemory | undefined) => void;
}

/**
 * A bounded stock of piece buffers. Buffers are reused, because fresh memory of this size costs a page fault per 4 KiB.
 * One buffer is always granted when nothing is in use, so that a piece larger than the bound still sells, one at a time.
 */
export class BufferPool {
  private readonly free = new Map<number, PieceMemory[]>();
  private readonly waiting: Waiter[] = [];
  private allocated = 0;
  private closed = false;

  /**
   * @param maxBytes Bound on all buffers together.
   * @param reclaim Asked when the pool is exhausted: gives up a buffer that was only kept as a cache, if there is one.
   */
  constructor(
    private readonly maxBytes: number,
    private readonly reclaim: () => PieceMemory | undefined,
    /** Whether `reclaim` would find one. */
    private readonly hasCached: () => boolean,
  ) {}

  /** Bytes of all buffers, in use or kept for reuse. */
  get allocatedBytes(): number {
    return this.allocated;
  }

  /** Whether a buffer could be had without making a reader wait. */
  hasRoomFor(sizeBytes: number): boolean {
    if (this.closed || this.waiting.length > 0) return false;
    return (
      (this.free.get(sizeBytes)?.length ?? 0) > 0 || this.allocated + sizeBytes <= this.maxBytes || this.hasCached()
    );
  }

  /** A buffer of exactly `sizeBytes`, waiting in turn; undefined when too many wait already or the pool was closed. */
  acquire(sizeBytes: number): Promise<PieceMemory | undefined> {
    if (this.closed || this.waiting.length >= MAX_WAITING) return Promise.resolve(undefined);
    const memory = this.waiting.length === 0 ? this.take(sizeBytes) : undefined;
    if (memory !== undefined) return Promise.resolve(memory);
    return new Promise((resolve) => this.waiting.push({ sizeBytes, resolve }));
  }

  /** Gives a buffer back. Its owner must not touch it again. */
  release(memory: PieceMemory): void {
    this.shelve(memory);
    this.serveWaiting();
  }

  /** Turns all waiting callers away. */
  close(): void {
    this.closed = true;
    for (const waiter of this.waiting.splice(0)) waiter.resolve(undefined);
  }

  /** Serves whoever waits, as far as memory allows; also to be called when something became reclaimable. */
  serveWaiting(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const memory = this.take(next.sizeBytes);
      if (memory === undefined) return;
      this.waiting.shift();
      next.resolve(memory);
    }
  }

  private take(sizeBytes: number): PieceMemory | undefined {
    for (;;) {
      const reused = this.free.get(sizeBytes)?.pop();
      if (reused !== undefined) return reused;
      if (this.allocated + sizeBytes > this.maxBytes) this.dropIdle(this.allocated + sizeBytes - this.maxBytes);
      const nothingInUse = this.allocated === 0;
      if (nothingInUse || this.allocated + sizeBytes <= this.maxBytes) {
        this.allocated += sizeBytes;
        const shared = new SharedArrayBuffer(sizeBytes);
        return { shared, bytes: new Uint8Array(shared) };
      }
      const reclaimed = this.reclaim();
      if (reclaimed === undefined) return undefined;
      this.shelve(reclaimed);
    }
  }

  private shelve(memory: PieceMemory): void {
    const shelf = this.free.get(memory.bytes.length);
    if (shelf === undefined) this.free.set(memory.bytes.length, [memory]);
    else shelf.push(memory);
  }

  private dropIdle(wantedBytes: number): void {
    let dropped = 0;
    for (const [size, shelf] of this.free) {
      while (dropped < wantedBytes && shelf.pop() !== undefined) dropped += size;
      if (shelf.length === 0) this.free.delete(size);
      if (dropped >= wantedBytes) break;
    }
    this.allocated -= dropped;
  }
}
