import type { PeerStream } from './stream.js';

/**
 * Which frames go first when a peer reads more slowly than we write: control frames, then urgent ones (answers to speed
 * tests, which decide whether a buyer picks this seller), then pieces. Within a lane frames keep their order.
 */
export type Lane = 'control' | 'urgent' | 'bulk';

export interface OutgoingFrame {
  /** Everything before the body, frame header included. */
  readonly head: Uint8Array;
  /** Sent as it is, without a copy: must not change until flushed. */
  readonly body?: Uint8Array;
  /** Called once: true when the system has taken all bytes, false when the connection ended before. */
  readonly onFlushed?: (sent: boolean) => void;
}

/** Control bytes that may wait for a peer that does not read. Everything but pieces and tests is far smaller. */
const MAX_CONTROL_BYTES = 256 * 1024;

/** Small pieces are written together up to this size, so that each write is worth its system call. */
const BULK_BATCH_BYTES = 512 * 1024;

/**
 * Writes frames to a socket one batch at a time. The socket never holds more than a batch, so an urgent frame waits for
 * one batch at most, and the owner learns when the bytes of a piece are no longer needed.
 */
export class Outbox {
  private readonly lanes: Record<Lane, OutgoingFrame[]> = { control: [], urgent: [], bulk: [] };
  private queued = 0;
  private queuedControl = 0;
  private writing: OutgoingFrame[] | undefined;
  private closed = false;
  private readonly onDrained: (() => void)[] = [];

  constructor(private readonly socket: PeerStream) {}

  /** Bytes of frames that the system has not taken yet. */
  get queuedBytes(): number {
    return this.queued;
  }

  /** Queues a frame; false when it can't be: the peer has left too many control bytes unread, or the outbox is closed. */
  push(lane: Lane, frame: OutgoingFrame): boolean {
    if (this.closed) return false;
    const size = sizeOf(frame);
    if (lane === 'control') {
      if (this.queuedControl + size > MAX_CONTROL_BYTES) return false;
      this.queuedControl += size;
    }
    this.queued += size;
    this.lanes[lane].push(frame);
    if (this.writing === undefined) this.writeNext();
    return true;
  }

  /** Resolves once everything queued now has been taken by the system, or the outbox was closed. */
  drained(): Promise<void> {
    if (this.queued === 0 || this.closed) return Promise.resolve();
    return new Promise((resolve) => this.onDrained.push(resolve));
  }

  /** Drops what has not been written and tells the owners. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const dropped = [...(this.writing ?? []), ...Object.values(this.lanes).flatMap((lane) => lane.splice(0))];
    this.writing = undefined;
    this.queued = 0;
    this.queuedControl = 0;
    for (const frame of dropped) frame.onFlushed?.(false);
    for (const resolve of this.onDrained.splice(0)) resolve();
  }

  private writeNext(): void {
    const batch = this.nextBatch();
    if (batch.length === 0) return;
    this.writing = batch;
    const last = batch.length - 1;
    this.socket.cork();
    batch.forEach((frame, index) => {
      const flushed = index === last ? (error?: Error | null) => this.onWritten(batch, error) : undefined;
      if (frame.body === undefined) {
        this.socket.write(frame.head, flushed);
      } else {
        this.socket.write(frame.head);
        this.socket.write(frame.body, flushed);
      }
    });
    this.socket.uncork();
  }

  private nextBatch(): OutgoingFrame[] {
    const batch = this.lanes.control.splice(0);
    this.queuedControl = 0;
    let bytes = 0;
    for (const lane of [this.lanes.urgent, this.lanes.bulk]) {
      while (lane.length > 0 && bytes < BULK_BATCH_BYTES) {
        const frame = lane.shift();
        if (frame === undefined) break;
        batch.push(frame);
        bytes += sizeOf(frame);
      }
    }
    return batch;
  }

  private onWritten(batch: readonly OutgoingFrame[], error: Error | null | undefined): void {
    // A failing socket calls back before it closes; close() then settles the frames.
    if (this.closed || (error !== undefined && error !== null)) return;
    this.writing = undefined;
    for (const frame of batch) {
      this.queued -= sizeOf(frame);
      frame.onFlushed?.(true);
    }
    if (this.closed || this.writing !== undefined) return;
    this.writeNext();
    if (this.queued === 0) for (const resolve of this.onDrained.splice(0)) resolve();
  }
}

function sizeOf(frame: OutgoingFrame): number {
  return frame.head.length + (frame.body?.length ?? 0);
}
