import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { isIPv4 } from 'node:net';
import type Utp from 'utp-native';
import type { DatagramPort } from '../../discovery/dht/datagrams.js';
import { failure, success, type Result } from '../../result.js';
import type { PeerStream } from '../stream.js';

export type UtpError =
  /** The library is not installed, or not for this system. */
  | 'utp-unavailable'
  /** Another process has the UDP port. */
  | 'port-in-use';

/** Bytes of a peer that may wait while nobody reads: the library itself takes everything a peer sends. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** Connections that have sent nothing yet: a source address can be forged until then, and each holds 128 KiB. */
const MAX_SILENT = 64;
const SILENT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 6_000;

/** uTP (BEP 29) on one UDP port, IPv4, by libutp; other datagrams of the port go to `datagrams`, for a DHT. */
export class UtpPort {
  /** What is not uTP. */
  readonly datagrams: DatagramPort;
  private silent = 0;
  private closed = false;

  private constructor(
    private readonly utp: Utp,
    private readonly onConnection: (stream: PeerStream) => void,
  ) {
    this.datagrams = new UtpDatagrams(utp);
    utp.on('connection', (connection: Utp.Connection) => this.accept(connection));
    // A failed read or send concerns one packet.
    utp.on('error', () => undefined);
  }

  /** Binds. `onConnection` gets streams, paused, of peers that dialled us, with their first data. Never rejects. */
  static open(
    host: string,
    port: number,
    onConnection: (stream: PeerStream) => void,
  ): Promise<Result<UtpPort, UtpError>> {
    const library = load();
    if (library === undefined) return Promise.resolve(failure('utp-unavailable'));
    return new Promise((resolve) => {
      const utp = new library({ allowHalfOpen: false });
      utp.once('error', () => resolve(failure('port-in-use')));
      utp.bind(port, isIPv4(host) ? host : '0.0.0.0', () => {
        utp.removeAllListeners('error');
        utp.firewall(false);
        resolve(success(new UtpPort(utp, onConnection)));
      });
    });
  }

  get port(): number {
    return this.utp.address().port;
  }

  get connectionCount(): number {
    return this.utp.connections.length;
  }

  /** Connects; undefined when nobody answers within 6 s, or the address is not IPv4. Never rejects. */
  connect(host: string, port: number, signal?: AbortSignal): Promise<PeerStream | undefined> {
    if (this.closed || !isIPv4(host) || signal?.aborted === true) return Promise.resolve(undefined);
    const connection = this.utp.connect(port, host);
    bounded(connection);
    return new Promise((resolve) => {
      const settle = (stream: PeerStream | undefined): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onFailed);
        if (stream === undefined) connection.destroy();
        resolve(stream);
      };
      const onFailed = (): void => settle(undefined);
      const timer = setTimeout(onFailed, CONNECT_TIMEOUT_MS);
      signal?.addEventListener('abort', onFailed);
      connection.on('error', onFailed);
      connection.once('close', onFailed);
      connection.once('connect', () => settle(connection));
    });
  }

  /** Takes no new connections, and releases the port once those there are have closed. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.utp.firewall(true);
    // Connections linger after their end; nobody waits for them.
    this.utp.unref();
    this.utp.close();
  }

  private accept(connection: Utp.Connection): void {
    connection.on('error', () => undefined);
    if (this.closed || this.silent >= MAX_SILENT) return void connection.destroy();
    bounded(connection);
    this.silent += 1;
    // Before its first data a connection is only a claim about an address, which nobody should have to answer for.
    const timer = setTimeout(() => connection.destroy(), SILENT_MS);
    const heard = (): void => {
      clearTimeout(timer);
      connection.off('connect', onData).off('close', heard);
      this.silent -= 1;
    };
    const onData = (): void => {
      heard();
      this.onConnection(connection);
    };
    connection.once('connect', onData);
    connection.once('close', heard);
  }
}

/** The library reads on while a stream is paused; a peer that makes use of that is cut off. */
function bounded(connection: Utp.Connection): void {
  const push = connection.push.bind(connection);
  connection.push = (chunk: unknown) => {
    if (connection.readableLength > MAX_UNREAD_BYTES) connection.destroy();
    return push(chunk);
  };
}

function load(): typeof Utp | undefined {
  try {
    return createRequire(import.meta.url)('utp-native') as typeof Utp;
  } catch {
    return undefined;
  }
}

/** The datagrams that pass by. Closing ends nothing: the port belongs to uTP. */
class UtpDatagrams extends EventEmitter implements DatagramPort {
  private open = true;

  constructor(private readonly utp: Utp) {
    super();
    utp.on('message', (bytes: Buffer, from: { address: string; port: number }) => {
      if (this.open) this.emit('message', bytes, from);
    });
  }

  address(): { readonly address: string; readonly port: number } {
    return this.utp.address();
  }

  send(bytes: Uint8Array, offset: number, length: number, port: number, host: string, done: () => void): void {
    if (this.open) this.utp.send(bytes, offset, length, port, host, done);
    else done();
  }

  close(): void {
    this.open = false;
    this.emit('close');
  }
}
