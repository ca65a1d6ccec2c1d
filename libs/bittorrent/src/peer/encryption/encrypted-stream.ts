import { EventEmitter } from 'node:events';
import type { PeerStream } from '../stream.js';
import type { Rc4 } from './rc4.js';

/**
 * Encrypted and handed to the socket at once. Bounds the copies per connection, which a whole piece would not, and the
 * time that the cipher keeps the event loop.
 */
const SLICE_BYTES = 64 * 1024;
/** Slices kept for reuse, over all connections. */
const MAX_SPARE_SLICES = 64;
const spareSlices: Uint8Array[] = [];

interface PendingWrite {
  readonly bytes: Uint8Array;
  taken: number;
  readonly onTaken: ((error?: Error | null) => void) | undefined;
}

/** A stream over a stream, both directions encrypted by RC4. What is written stays as it is: pieces are shared. */
export class EncryptedStream extends EventEmitter implements PeerStream {
  private readonly pending: PendingWrite[] = [];
  private corked = false;
  private sending = false;
  private onEnded: (() => void) | undefined;

  /** `stream` must be paused. */
  constructor(
    private readonly stream: PeerStream,
    private readonly keys: { readonly incoming: Rc4; readonly outgoing: Rc4 },
  ) {
    super();
    stream.on('data', (chunk) => {
      keys.incoming.apply(chunk, chunk);
      this.emit('data', chunk);
    });
    stream.on('end', () => this.emit('end'));
    stream.on('close', () => this.emit('close'));
    stream.on('error', (error) => this.emit('error', error));
  }

  get remoteAddress(): string | undefined {
    return this.stream.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.stream.remotePort;
  }

  get destroyed(): boolean {
    return this.stream.destroyed;
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  write(bytes: Uint8Array, onTaken?: (error?: Error | null) => void): void {
    this.pending.push({ bytes, taken: 0, onTaken });
    if (!this.corked) this.send();
  }

  cork(): void {
    this.corked = true;
  }

  uncork(): void {
    this.corked = false;
    this.send();
  }

  end(onEnded: () => void): void {
    this.onEnded = onEnded;
    this.send();
  }

  destroy(): void {
    this.pending.length = 0;
    this.stream.destroy();
  }

  /** One slice at a time: small writes share one, large ones take several. */
  private send(): void {
    if (this.sending || this.destroyed) return;
    if (this.pending.length === 0) {
      const { onEnded } = this;
      this.onEnded = undefined;
      if (onEnded !== undefined) this.stream.end(onEnded);
      return;
    }
    this.sending = true;
    const slice = spareSlices.pop() ?? new Uint8Array(SLICE_BYTES);
    const done: PendingWrite[] = [];
    const length = this.fill(slice, done);
    this.stream.write(slice.subarray(0, length), (error) => {
      if (spareSlices.length < MAX_SPARE_SLICES) spareSlices.push(slice);
      this.sending = false;
      for (const write of done) write.onTaken?.(error);
      if (error === undefined || error === null) this.send();
    });
  }

  /** Encrypts as much as fits; answers its length, and in `done` the writes that it completes. */
  private fill(slice: Uint8Array, done: PendingWrite[]): number {
    let length = 0;
    while (length < slice.length) {
      const write = this.pending[0];
      if (write === undefined) break;
      const part = write.bytes.subarray(write.taken, write.taken + slice.length - length);
      this.keys.outgoing.apply(part, slice.subarray(length));
      length += part.length;
      write.taken += part.length;
      if (write.taken < write.bytes.length) break;
      this.pending.shift();
      done.push(write);
    }
    return length;
  }
}
