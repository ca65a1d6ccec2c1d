import { failure, success, type Result } from '../result.js';
import type { CloseReason } from './close-reason.js';
import type { PeerStream } from './stream.js';

/** Bytes held at most: more than any handshake has; a peer that sends on waits in the system. */
const MAX_HELD_BYTES = 16 * 1024;

export interface ReaderLimits {
  /** By `performance.now`: later everything fails with `handshake-timeout`. */
  readonly deadlineMs: number;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

/** Takes bytes off a stream in the portions that a handshake wants. One taker at a time. */
export class ByteReader {
  private held: Uint8Array;
  private failed: CloseReason | undefined;
  private wake: (() => void) | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly onData = (chunk: Buffer): void => this.take(chunk);
  private readonly onError = (): void => this.fail('socket-error');
  private readonly onClose = (): void => this.fail('remote');
  private readonly onAbort = (): void => this.fail('local');

  /** @param first bytes that were read already */
  constructor(
    private readonly stream: PeerStream,
    private readonly limits: ReaderLimits,
    first: Uint8Array = new Uint8Array(),
  ) {
    this.held = first;
    this.timer = setTimeout(() => this.fail('handshake-timeout'), Math.max(0, limits.deadlineMs - performance.now()));
    limits.signal?.addEventListener('abort', this.onAbort);
    stream.on('data', this.onData);
    stream.on('error', this.onError);
    stream.on('close', this.onClose);
    stream.on('end', this.onClose);
    if (limits.signal?.aborted === true) this.onAbort();
    else if (stream.destroyed) this.onClose();
  }

  /** Waits for so many bytes and leaves them. */
  async peek(count: number): Promise<Result<Uint8Array, CloseReason>> {
    while (this.held.length < count && this.failed === undefined) await this.more();
    if (this.held.length >= count) return success(this.held.subarray(0, count));
    return failure(this.failed ?? 'remote');
  }

  async read(count: number): Promise<Result<Uint8Array, CloseReason>> {
    const bytes = await this.peek(count);
    if (bytes.ok) this.held = this.held.subarray(count);
    return bytes;
  }

  /** Skips bytes up to and with a pattern that must begin within the next `within` bytes. */
  async skipPast(pattern: Uint8Array, within: number): Promise<Result<undefined, CloseReason>> {
    for (;;) {
      const at = Buffer.from(this.held.buffer, this.held.byteOffset, this.held.length).indexOf(pattern);
      if (at >= 0 && at <= within) {
        this.held = this.held.subarray(at + pattern.length);
        return success(undefined);
      }
      if (at > within || this.held.length >= within + pattern.length) return failure('not-bittorrent');
      if (this.failed !== undefined) return failure(this.failed);
      await this.more();
    }
  }

  /** Lets go of the stream, paused; answers what was read and not taken. */
  release(): Uint8Array {
    clearTimeout(this.timer);
    this.limits.signal?.removeEventListener('abort', this.onAbort);
    this.stream.off('data', this.onData);
    this.stream.off('error', this.onError);
    this.stream.off('close', this.onClose);
    this.stream.off('end', this.onClose);
    this.stream.pause();
    return this.held;
  }

  private more(): Promise<void> {
    this.stream.resume();
    return new Promise((resolve) => (this.wake = resolve));
  }

  private take(chunk: Uint8Array): void {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    if (this.held.length > MAX_HELD_BYTES) this.stream.pause();
    this.settle();
  }

  private fail(reason: CloseReason): void {
    this.failed ??= reason;
    this.settle();
  }

  private settle(): void {
    const { wake } = this;
    this.wake = undefined;
    wake?.();
  }
}
