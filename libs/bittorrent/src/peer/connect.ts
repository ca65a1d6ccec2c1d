import type { Socket } from 'node:net';
import { failure, success, type Result } from '../result.js';
import type { CloseReason } from './close-reason.js';
import { HandshakeReader, type RemoteHandshake } from './handshake-bytes.js';
import { Outbox } from './outbox.js';
import { Peer, type TorrentSide } from './peer.js';
import { StandardWire } from './standard-wire.js';

/** libtorrent's own handshake timeout. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface HandshakeOptions {
  /** Our peer id, 20 bytes. */
  readonly peerId: Uint8Array;
  /** Default 10 s. */
  readonly timeoutMs?: number;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

/** Answers the handshake of a peer that connected. On failure the socket is destroyed. */
export async function acceptPeer(
  socket: Socket,
  torrentOf: (infoHash: string) => TorrentSide | undefined,
  options: HandshakeOptions,
): Promise<Result<Peer, CloseReason>> {
  const read = await readHandshake(socket, options);
  if (!read.ok) return refuse(socket, read.error);
  const { handshake } = read.value;
  const torrent = torrentOf(handshake.infoHash);
  if (torrent === undefined) return refuse(socket, 'unknown-torrent');
  if (Buffer.from(options.peerId).equals(handshake.peerId)) return refuse(socket, 'self-connection');
  const link = openLink(socket);
  link.wire.feed(handshake.bytes);
  link.wire.handshake(torrent.infoHash, options.peerId, { fast: true });
  return success(
    attach(new Peer({ ...link, direction: 'inbound', torrent, remote: handshake, rest: read.value.rest }), link),
  );
}

/** Begins the handshake on a connection that we opened. On failure the socket is destroyed. */
export async function openPeer(
  socket: Socket,
  torrent: TorrentSide,
  options: HandshakeOptions,
): Promise<Result<Peer, CloseReason>> {
  const link = openLink(socket);
  link.wire.handshake(torrent.infoHash, options.peerId, { fast: true });
  const read = await readHandshake(socket, options);
  if (!read.ok) return refuse(socket, read.error);
  const { handshake, rest } = read.value;
  if (handshake.infoHash !== torrent.infoHash) return refuse(socket, 'wrong-torrent');
  if (Buffer.from(options.peerId).equals(handshake.peerId)) return refuse(socket, 'self-connection');
  link.wire.feed(handshake.bytes);
  return success(attach(new Peer({ ...link, direction: 'outbound', torrent, remote: handshake, rest }), link));
}

interface Link {
  readonly socket: Socket;
  readonly outbox: Outbox;
  readonly wire: StandardWire;
  /** Where the standard part's complaints go once there is a peer to close. */
  onTrouble: (reason: CloseReason) => void;
}

function openLink(socket: Socket): Link {
  const outbox = new Outbox(socket);
  const link: Link = {
    socket,
    outbox,
    wire: new StandardWire({
      send: (bytes) => {
        if (!outbox.push('control', { head: bytes })) link.onTrouble('send-queue-full');
      },
      violation: () => link.onTrouble('protocol-violation'),
    }),
    onTrouble: () => socket.destroy(),
  };
  return link;
}

function attach(peer: Peer, link: Link): Peer {
  link.onTrouble = (reason) => peer.close(reason);
  return peer;
}

function refuse(socket: Socket, reason: CloseReason): { readonly ok: false; readonly error: CloseReason } {
  socket.destroy();
  return failure(reason);
}

type ReadOutcome = Result<{ readonly handshake: RemoteHandshake; readonly rest: Uint8Array }, CloseReason>;

function readHandshake(socket: Socket, options: HandshakeOptions): Promise<ReadOutcome> {
  // Stays on: an error may be reported between the handshake and the peer's own listener.
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    const reader = new HandshakeReader();
    const settle = (outcome: ReadOutcome): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('error', onError).off('close', onClose);
      socket.pause();
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      const outcome = reader.push(chunk);
      if (outcome === 'not-bittorrent') settle(failure(outcome));
      else if (outcome !== undefined) settle(success(outcome));
    };
    const onError = (): void => settle(failure('socket-error'));
    const onClose = (): void => settle(failure('remote'));
    const onAbort = (): void => settle(failure('local'));
    const timer = setTimeout(() => settle(failure('handshake-timeout')), options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS);
    options.signal?.addEventListener('abort', onAbort);
    socket.on('data', onData).on('error', onError).on('close', onClose).resume();
    if (options.signal?.aborted === true) onAbort();
    else if (socket.destroyed) onClose();
  });
}
