import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:net';
import { failure, success, type Result } from '../result.js';
import type { CloseReason } from './close-reason.js';
import { acceptPeer } from './connect.js';
import type { Peer, TorrentSide } from './peer.js';
import type { PeerStream } from './stream.js';

export interface PeerListenerOptions {
  /** Address to bind: one IPv4 or IPv6 address, or `::` for both families. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Our peer id, 20 bytes. */
  readonly peerId: Uint8Array;
  /** The torrent behind an info hash (lowercase hex), if it is here. */
  readonly torrentOf: (infoHash: string) => TorrentSide | undefined;
  /**
   * The info hash (lowercase hex) behind its `obfuscatedHash`, if the torrent is here. Without this, encrypted
   * handshakes are refused.
   */
  readonly infoHashOf?: (obfuscated: string) => string | undefined;
  /** Takes a peer after its handshake: attach listeners, then call its `start`. */
  readonly onPeer: (peer: Peer) => void;
  /** Asked for every connection before a byte is read; false refuses it. */
  readonly admit?: (remoteAddress: string) => boolean;
  /** Told about connections that did not become peers. */
  readonly onRefused?: (reason: RefusalReason, remoteAddress: string) => void;
  /** Most connections in the handshake at once. Default 256. */
  readonly maxHandshakes?: number;
  /** Default 10 s. */
  readonly handshakeTimeoutMs?: number;
}

export type RefusalReason =
  | CloseReason
  /** `admit` said no. */
  | 'not-admitted'
  /** Too many connections have not finished their handshake. */
  | 'too-many-handshakes';

export type ListenError =
  /** Another process listens there. */
  | 'address-in-use'
  /** The address is not one of this machine. */
  | 'address-unavailable'
  /** The system reserves the port. */
  | 'permission-denied'
  | 'listen-failed';

const DEFAULT_MAX_HANDSHAKES = 256;
/** TCP's own probes, for peers behind a middlebox that forgets idle connections (hazard H40). */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Accepts BitTorrent connections over TCP. */
export class PeerListener {
  private readonly server: Server;
  private readonly handshaking = new Set<PeerStream>();
  private readonly closing = new AbortController();

  constructor(private readonly options: PeerListenerOptions) {
    // One listener per handshake in progress, whose number is bounded above; Node warns of a leak from eleven on.
    setMaxListeners(0, this.closing.signal);
    this.server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS, pauseOnConnect: true },
      (socket) => void this.accept(socket),
    );
  }

  /** Connections that have not finished their handshake. */
  get handshakeCount(): number {
    return this.handshaking.size;
  }

  /** Binds and begins to accept; answers the port in use. */
  listen(): Promise<Result<{ readonly port: number }, { readonly code: ListenError; readonly detail: string }>> {
    const { host, port } = this.options;
    return new Promise((resolve) => {
      const onError = (error: Error & { code?: string }): void =>
        resolve(failure({ code: LISTEN_ERRORS[error.code ?? ''] ?? 'listen-failed', detail: `${host}:${port}` }));
      this.server.once('error', onError);
      this.server.listen({ host, port }, () => {
        this.server.off('error', onError);
        // A failed accept (out of descriptors) concerns one connection, which the system has dropped already.
        this.server.on('error', () => undefined);
        const address = this.server.address();
        resolve(success({ port: typeof address === 'object' && address !== null ? address.port : port }));
      });
    });
  }

  /** Accepts nothing more and ends handshakes in progress; peers stay with their owner. */
  close(): void {
    this.closing.abort();
    if (this.server.listening) this.server.close();
  }

  /** Takes a connection, also one that came another way, paused. */
  async accept(socket: PeerStream): Promise<void> {
    const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
    const early = this.refusalOf(address);
    if (early !== undefined) {
      socket.on('error', () => undefined);
      socket.destroy();
      this.options.onRefused?.(early, address);
      return;
    }
    this.handshaking.add(socket);
    const outcome = await acceptPeer(socket, {
      torrentOf: this.options.torrentOf,
      peerId: this.options.peerId,
      signal: this.closing.signal,
      ...(this.options.infoHashOf === undefined ? {} : { infoHashOf: this.options.infoHashOf }),
      ...(this.options.handshakeTimeoutMs === undefined ? {} : { timeoutMs: this.options.handshakeTimeoutMs }),
    });
    this.handshaking.delete(socket);
    if (outcome.ok) this.options.onPeer(outcome.value);
    else this.options.onRefused?.(outcome.error, address);
  }

  private refusalOf(address: string): RefusalReason | undefined {
    if (this.handshaking.size >= (this.options.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES)) return 'too-many-handshakes';
    return this.options.admit?.(address) === false ? 'not-admitted' : undefined;
  }
}

const LISTEN_ERRORS: Readonly<Record<string, ListenError>> = {
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-unavailable',
  EACCES: 'permission-denied',
};
