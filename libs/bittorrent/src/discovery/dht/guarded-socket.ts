import { createSocket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { failure, success, type Result } from '../../result.js';
import { isContactable } from '../addresses.js';
import { Allowance } from '../allowance.js';
import { DISCOVERY_DEFAULTS } from '../defaults.js';
import type { DatagramPort } from './datagrams.js';
import { inspectPacket } from './messages.js';

export type BindError =
  /** Another process has the port. */
  | 'port-in-use'
  /** The address is not one of this machine, or the system does not allow it. */
  | 'address-unavailable';

export interface GuardedSocketOptions {
  /** IPv4 address to bind. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** A port that is bound already, shared with uTP; host and port are then without meaning. */
  readonly datagrams?: DatagramPort;
  readonly allowLocal: boolean;
  /** Packets that may leave; may be overdrawn by its burst. */
  readonly packets: Allowance;
  readonly packetBurst: number;
  /** A node told us under which address it sees us. */
  readonly onOurAddress: (address: Uint8Array, from: string) => void;
}

/**
 * A UDP socket as the DHT library wants it, which passes on only packets that are sound, answers strangers at a bounded
 * rate, and sends within the packet budget and to public addresses.
 */
export class GuardedSocket extends EventEmitter {
  private readonly answers = new Allowance(DISCOVERY_DEFAULTS.answersPerSecond, DISCOVERY_DEFAULTS.answersPerSecond);
  private closed = false;
  sent = 0;
  received = 0;
  /** Packets thrown away, unsound, too many, or to an address that is not for us to contact. */
  dropped = 0;

  private constructor(
    private readonly socket: DatagramPort,
    private readonly options: GuardedSocketOptions,
  ) {
    super();
    socket.on('message', (bytes, from) => this.onMessage(bytes, from));
    socket.on('error', () => (this.dropped += 1));
    socket.on('close', () => this.emit('close'));
  }

  static open(options: GuardedSocketOptions): Promise<Result<GuardedSocket, BindError>> {
    if (options.datagrams !== undefined) return Promise.resolve(success(new GuardedSocket(options.datagrams, options)));
    const socket = createSocket('udp4');
    return new Promise((resolve) => {
      const onError = (error: Error & { code?: string }): void => {
        socket.close();
        resolve(failure(error.code === 'EADDRINUSE' ? 'port-in-use' : 'address-unavailable'));
      };
      socket.once('error', onError);
      socket.bind({ address: options.host, port: options.port, exclusive: true }, () => {
        socket.off('error', onError);
        resolve(success(new GuardedSocket(socket, options)));
      });
    });
  }

  address(): { readonly address: string; readonly port: number } {
    return this.socket.address();
  }

  /** As dgram's, always with offset and length; the callback may be missing. */
  send(bytes: Uint8Array, offset: number, length: number, port: number, host: string, done?: () => void): void {
    const { packets, packetBurst, allowLocal } = this.options;
    if (this.closed || packets.available < -packetBurst || !isContactable({ host, port }, allowLocal)) {
      this.dropped += 1;
      done?.();
      return;
    }
    packets.spend(1);
    this.sent += 1;
    this.socket.send(bytes, offset, length, port, host, () => done?.());
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
  }

  private onMessage(bytes: Buffer, from: { readonly address: string; readonly port: number }): void {
    const packet = inspectPacket(bytes);
    const welcome = packet !== undefined && (packet.kind !== 'query' || this.answers.take());
    if (!welcome) {
      this.dropped += 1;
      return;
    }
    this.received += 1;
    if (packet.ourAddress !== undefined) this.options.onOurAddress(packet.ourAddress, from.address);
    this.emit('message', bytes, from);
  }
}
