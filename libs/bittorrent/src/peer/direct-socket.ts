import { EventEmitter } from 'node:events';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { PeerStream, ReadTarget } from './stream.js';

/** Read at once where nobody has named memory: heads of messages, and small ones. */
const SCRATCH_BYTES = 64 * 1024;

/**
 * A TCP connection that we open. Large messages are read by the system straight into the memory where they stay: without
 * that every byte would be copied once more, out of a chunk that is made and collected for 64 KiB each.
 */
export class DirectSocket extends EventEmitter implements PeerStream {
  private readonly socket: Socket;
  private readonly scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  private target: ReadTarget | undefined;
  /** The system reads into the target's memory. */
  private isDirect = false;

  constructor(options: Omit<TcpNetConnectOpts, 'onread'>) {
    super();
    const buffer = (): Uint8Array => this.nextMemory();
    this.socket = connect({ ...options, onread: { buffer, callback: (count) => this.onRead(count) } });
    for (const event of ['connect', 'end', 'close'] as const) this.socket.on(event, () => this.emit(event));
    this.socket.on('error', (error) => this.emit('error', error));
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }

  get destroyed(): boolean {
    return this.socket.destroyed;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  write(bytes: Uint8Array, onTaken?: (error?: Error | null) => void): void {
    this.socket.write(bytes, onTaken);
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  end(onEnded: () => void): void {
    this.socket.end(onEnded);
  }

  destroy(): void {
    this.socket.destroy();
  }

  readInto(target: ReadTarget): void {
    this.target = target;
  }

  /** Asked after each read, also the one whose bytes ended the connection: then there is no room and no next read. */
  private nextMemory(): Uint8Array {
    const room = this.target?.room();
    this.isDirect = room !== undefined && room.length > 0;
    return this.isDirect && room !== undefined ? room : this.scratch;
  }

  private onRead(count: number): boolean {
    if (this.isDirect) this.target?.filled(count);
    // A copy of its own: listeners may keep it, and the next read comes into the same memory.
    else this.emit('data', Buffer.from(this.scratch.subarray(0, count)));
    return true;
  }
}
