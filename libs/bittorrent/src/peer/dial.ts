import { failure, success, type Result } from '../result.js';
import type { CloseReason } from './close-reason.js';
import { openPeer } from './connect.js';
import { DirectSocket } from './direct-socket.js';
import type { Peer, TorrentSide } from './peer.js';
import type { PeerStream } from './stream.js';
import type { UtpPort } from './utp/utp-port.js';

export interface DialOptions {
  /** IPv4 or IPv6 address, or a name. */
  readonly host: string;
  readonly port: number;
  readonly torrent: TorrentSide;
  /** Our peer id, 20 bytes. */
  readonly peerId: Uint8Array;
  /**
   * Message stream encryption: `require` encrypts everything; `prefer` encrypts what the peer wants encrypted, and
   * connects again in plaintext where the peer takes no part in it. Default `off`.
   */
  readonly encryption?: 'off' | 'prefer' | 'require';
  /** Tried where TCP gets no connection. */
  readonly utp?: UtpPort;
  /** Address to connect from; default the system's choice. */
  readonly localAddress?: string;
  /** Default 15 s, libtorrent's. */
  readonly connectTimeoutMs?: number;
  /** Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type DialError =
  | CloseReason
  /** Nobody listens there. */
  | 'connection-refused'
  /** No answer in time. */
  | 'connect-timeout'
  /** No route, or no such name. */
  | 'unreachable';

const CONNECT_TIMEOUT_MS = 15_000;
const TCP_KEEP_ALIVE_MS = 60_000;

/** Opens a connection and does the handshake. Attach listeners to the peer, then call its `start`. Never rejects. */
export async function dialPeer(options: DialOptions): Promise<Result<Peer, DialError>> {
  const encryption = options.encryption ?? 'off';
  const peer = await attempt(options, encryption);
  const again = !peer.ok && peer.error === 'encryption-refused' && encryption === 'prefer';
  return again ? attempt(options, 'off') : peer;
}

async function attempt(
  options: DialOptions,
  encryption: 'off' | 'prefer' | 'require',
): Promise<Result<Peer, DialError>> {
  const connected = await openStream(options);
  if (!connected.ok) return connected;
  return openPeer(connected.value, options.torrent, {
    peerId: options.peerId,
    encryption,
    ...(options.handshakeTimeoutMs === undefined ? {} : { timeoutMs: options.handshakeTimeoutMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

async function openStream(options: DialOptions): Promise<Result<PeerStream, DialError>> {
  const { utp, host, port, signal } = options;
  const overTcp = await openSocket(options);
  if (overTcp.ok || overTcp.error === 'local' || utp === undefined) return overTcp;
  const overUtp = await utp.connect(host, port, signal);
  return overUtp === undefined ? overTcp : success(overUtp);
}

function openSocket(options: DialOptions): Promise<Result<DirectSocket, DialError>> {
  return new Promise((resolve) => {
    const socket = new DirectSocket({
      host: options.host,
      port: options.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    });
    const settle = (outcome: Result<DirectSocket, DialError>): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      // The error listener stays: a socket may report more than one.
      if (!outcome.ok) socket.destroy();
      resolve(outcome);
    };
    const onConnect = (): void => settle(success(socket));
    const onError = (error: Error & { code?: string }): void =>
      settle(failure(error.code === 'ECONNREFUSED' ? 'connection-refused' : 'unreachable'));
    const onAbort = (): void => settle(failure('local'));
    const timer = setTimeout(() => settle(failure('connect-timeout')), options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    options.signal?.addEventListener('abort', onAbort);
    socket.on('connect', onConnect).on('error', onError);
    if (options.signal?.aborted === true) onAbort();
  });
}
