import { failure, success, type Result } from '../result.js';
import { ByteReader, type ReaderLimits } from './byte-reader.js';
import type { CloseReason } from './close-reason.js';
import { EncryptedStream } from './encryption/encrypted-stream.js';
import { initiate, respond, type Secured } from './encryption/handshake.js';
import {
  beginsHandshake,
  HANDSHAKE_BYTES,
  parseHandshake,
  PROTOCOL_BYTES,
  type RemoteHandshake,
} from './handshake-bytes.js';
import { Outbox } from './outbox.js';
import { Peer, type Protection, type TorrentSide } from './peer.js';
import { StandardWire } from './standard-wire.js';
import type { PeerStream } from './stream.js';

/** libtorrent's own handshake timeout. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface HandshakeOptions {
  /** Our peer id, 20 bytes. */
  readonly peerId: Uint8Array;
  /** For everything up to the end of the peer's handshake. Default 10 s. */
  readonly timeoutMs?: number;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

export interface AcceptOptions extends HandshakeOptions {
  readonly torrentOf: (infoHash: string) => TorrentSide | undefined;
  /** The info hash behind its `obfuscatedHash`; without it encrypted handshakes are refused. */
  readonly infoHashOf?: (obfuscated: string) => string | undefined;
}

export interface OpenOptions extends HandshakeOptions {
  readonly encryption: 'off' | 'prefer' | 'require';
}

/** Answers the handshake of a peer that connected. On failure the stream is destroyed. */
export async function acceptPeer(stream: PeerStream, options: AcceptOptions): Promise<Result<Peer, CloseReason>> {
  const limits = begin(stream, options);
  const opened = await openIncoming(stream, limits, options);
  if (!opened.ok) return refuse(stream, opened.error);
  const read = await readHandshake(opened.value.reader);
  if (!read.ok) return refuse(stream, read.error);
  const handshake = read.value;
  const torrent = options.torrentOf(handshake.infoHash);
  if (torrent === undefined) return refuse(stream, 'unknown-torrent');
  if (Buffer.from(options.peerId).equals(handshake.peerId)) return refuse(stream, 'self-connection');
  const rest = opened.value.reader.release();
  const link = openLink(opened.value.stream);
  link.wire.feed(handshake.bytes);
  link.wire.handshake(torrent.infoHash, options.peerId, { fast: true });
  const { protection } = opened.value;
  return success(
    attach(new Peer({ ...link, protection, direction: 'inbound', torrent, remote: handshake, rest }), link),
  );
}

/** Begins the handshake on a connection that we opened. On failure the stream is destroyed. */
export async function openPeer(
  stream: PeerStream,
  torrent: TorrentSide,
  options: OpenOptions,
): Promise<Result<Peer, CloseReason>> {
  const limits = begin(stream, options);
  const { infoHash } = torrent;
  // The wire writes its handshake at once; where it goes is decided by then or just after.
  const early: Uint8Array[] = [];
  const link = openLink(stream, early);
  link.wire.handshake(infoHash, options.peerId, { fast: true });
  const ours = Buffer.concat(early);
  const opened = await openOutgoing(stream, limits, options.encryption, infoHash, ours);
  if (!opened.ok) return refuse(stream, opened.error);
  const read = await readHandshake(opened.value.reader);
  if (!read.ok) return refuse(stream, read.error);
  const remote = read.value;
  if (remote.infoHash !== infoHash) return refuse(stream, 'wrong-torrent');
  if (Buffer.from(options.peerId).equals(remote.peerId)) return refuse(stream, 'self-connection');
  const rest = opened.value.reader.release();
  link.bind(opened.value.stream);
  link.wire.feed(remote.bytes);
  const { protection } = opened.value;
  return success(attach(new Peer({ ...link, protection, direction: 'outbound', torrent, remote, rest }), link));
}

/**
 * Encrypts everything on a connection that we opened, for programs with a BitTorrent of their own; `first` goes along
 * with the handshake. Answers the stream, paused, and plain bytes that arrived already. On failure it is destroyed.
 */
export async function encryptStream(
  stream: PeerStream,
  infoHash: string,
  first: Uint8Array,
  options: Omit<HandshakeOptions, 'peerId'> = {},
): Promise<Result<{ readonly stream: PeerStream; readonly rest: Uint8Array }, CloseReason>> {
  const opened = await openOutgoing(stream, begin(stream, options), 'require', infoHash, first);
  if (!opened.ok) return refuse(stream, opened.error);
  return success({ stream: opened.value.stream, rest: opened.value.reader.release() });
}

interface Opened {
  readonly stream: PeerStream;
  readonly reader: ByteReader;
  readonly protection: Protection;
}

function begin(stream: PeerStream, options: Omit<HandshakeOptions, 'peerId'>): ReaderLimits {
  // Stays on: an error may be reported between the handshake and the peer's own listener.
  stream.on('error', () => undefined);
  const deadlineMs = performance.now() + (options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS);
  return { deadlineMs, ...(options.signal === undefined ? {} : { signal: options.signal }) };
}

/** Finds out whether the peer speaks plainly, and gets through its encryption where it does not. */
async function openIncoming(
  stream: PeerStream,
  limits: ReaderLimits,
  { infoHashOf }: AcceptOptions,
): Promise<Result<Opened, CloseReason>> {
  const reader = new ByteReader(stream, limits);
  // A public key may begin with the same byte as a plain handshake.
  for (const count of [1, PROTOCOL_BYTES]) {
    const bytes = await reader.peek(count);
    if (!bytes.ok) return failed(reader, bytes.error);
    if (beginsHandshake(bytes.value)) continue;
    if (infoHashOf === undefined) return failed(reader, 'not-bittorrent');
    const secured = await respond(stream, reader, infoHashOf);
    return secured.ok ? success(secure(stream, reader, limits, secured.value)) : failed(reader, secured.error);
  }
  return success({ stream, reader, protection: 'none' });
}

async function openOutgoing(
  stream: PeerStream,
  limits: ReaderLimits,
  encryption: OpenOptions['encryption'],
  infoHash: string,
  ours: Uint8Array,
): Promise<Result<Opened, CloseReason>> {
  const reader = new ByteReader(stream, limits);
  if (encryption === 'off') {
    stream.write(ours);
    return success({ stream, reader, protection: 'none' });
  }
  const secured = await initiate(stream, reader, infoHash, ours, encryption === 'require');
  if (secured.ok) return success(secure(stream, reader, limits, secured.value));
  return failed(reader, secured.error === 'local' ? 'local' : 'encryption-refused');
}

function secure(stream: PeerStream, reader: ByteReader, limits: ReaderLimits, { keys, first }: Secured): Opened {
  const rest = reader.release();
  if (keys === undefined) {
    return { stream, reader: new ByteReader(stream, limits, joined(first, rest)), protection: 'handshake' };
  }
  const encrypted = new EncryptedStream(stream, keys);
  encrypted.on('error', () => undefined);
  const plain = joined(first, keys.incoming.transformed(rest));
  return { stream: encrypted, reader: new ByteReader(encrypted, limits, plain), protection: 'everything' };
}

async function readHandshake(reader: ByteReader): Promise<Result<RemoteHandshake, CloseReason>> {
  const beginning = await reader.peek(1);
  if (!beginning.ok) return failed(reader, beginning.error);
  if (!beginsHandshake(beginning.value)) return failed(reader, 'not-bittorrent');
  const bytes = await reader.read(HANDSHAKE_BYTES);
  if (!bytes.ok) return failed(reader, bytes.error);
  return beginsHandshake(bytes.value) ? success(parseHandshake(bytes.value)) : failed(reader, 'not-bittorrent');
}

function failed(reader: ByteReader, reason: CloseReason): { readonly ok: false; readonly error: CloseReason } {
  reader.release();
  return failure(reason);
}

interface Link {
  socket: PeerStream;
  outbox: Outbox;
  readonly wire: StandardWire;
  /** Where the standard part's complaints go once there is a peer to close. */
  onTrouble: (reason: CloseReason) => void;
  /** From now on frames go to this stream. */
  readonly bind: (stream: PeerStream) => void;
}

/** @param early takes what is sent before `bind`; without it the stream does at once */
function openLink(stream: PeerStream, early?: Uint8Array[]): Link {
  let bound = early === undefined;
  const link: Link = {
    socket: stream,
    outbox: new Outbox(stream),
    wire: new StandardWire({
      send: (bytes) => {
        if (!bound) early?.push(bytes);
        else if (!link.outbox.push('control', { head: bytes })) link.onTrouble('send-queue-full');
      },
      violation: () => link.onTrouble('protocol-violation'),
    }),
    onTrouble: () => stream.destroy(),
    bind: (final) => {
      bound = true;
      link.socket = final;
      link.outbox = new Outbox(final);
    },
  };
  return link;
}

function attach(peer: Peer, link: Link): Peer {
  link.onTrouble = (reason) => peer.close(reason);
  return peer;
}

function refuse(stream: PeerStream, reason: CloseReason): { readonly ok: false; readonly error: CloseReason } {
  stream.destroy();
  return failure(reason);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.length === 0 ? b : Buffer.concat([a, b]);
}
