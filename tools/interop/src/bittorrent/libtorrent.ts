import { randomBytes } from 'node:crypto';
import { encodeExtendedHandshake, MESSAGE_NAMES } from '@seedfleet/wire';

/**
 * The bytes with which libtorrent 1.1 opens a connection when it carries the reference's plugin, as captures of the
 * reference show them.
 */

export const HANDSHAKE_BYTES = 68;

/** Identity of a client (client behaviour §6). */
export interface Client {
  /** Eight characters. */
  readonly peerIdPrefix: string;
  readonly userAgent: string;
}

export const DESKTOP: Client = { peerIdPrefix: '-JS1080-', userAgent: 'JoyStream 1.0.8' };
export const NODE_EXAMPLE: Client = { peerIdPrefix: '-JS1050-', userAgent: 'refpeer (JoyStream extension-cpp)' };

/** Reserved bits: BEP 10 with libtorrent's own 0x08, the fast extension, and the DHT where it is on. */
export function handshake(infoHash: Uint8Array, client: Client, dht: boolean): Uint8Array {
  const peerId = client.peerIdPrefix + randomBytes(12).toString('base64url').slice(0, 12);
  return Buffer.concat([
    Buffer.from('\x13BitTorrent protocol', 'latin1'),
    Buffer.from([0, 0, 0, 0, 0, 0x18, 0, dht ? 0x05 : 0x04]),
    infoHash,
    Buffer.from(peerId, 'latin1'),
  ]);
}

/** What a plugin's session is doing (wire protocol §2): a stopped one has no `cc` at first and zero ids later. */
export type PluginState = 'never-started' | 'started' | 'stopped';

const FOREIGN_IDS = { lt_donthave: 7, share_mode: 8, upload_only: 3, ut_holepunch: 4, ut_metadata: 2, ut_pex: 1 };

/** Body of the extended handshake; keys in libtorrent's order, which is bencoding's. */
export function extendedHandshake(
  client: Client,
  state: PluginState,
  side: { readonly metadataBytes: number; readonly listenPort?: number; readonly seed: boolean },
): Uint8Array {
  const topLevel = {
    complete_ago: -1,
    metadata_size: side.metadataBytes,
    ...(side.listenPort === undefined ? {} : { p: side.listenPort }),
    reqq: 500,
    ...(side.seed ? { upload_only: 1 } : {}),
    v: client.userAgent,
    yourip: new Uint8Array([127, 0, 0, 1]),
  };
  if (state === 'never-started') return withoutPlugin(topLevel);
  return encodeExtendedHandshake({
    kind: state === 'started' ? 'install' : 'uninstall',
    topLevel,
    foreignIds: FOREIGN_IDS,
  });
}

/** The same handshake with `cc` and every `js_` name cut out: both are runs of their own in the sorted dictionary. */
function withoutPlugin(topLevel: Parameters<typeof encodeExtendedHandshake>[0]['topLevel']): Uint8Array {
  const full = Buffer.from(
    encodeExtendedHandshake({ kind: 'uninstall', topLevel: topLevel ?? {}, foreignIds: FOREIGN_IDS }),
  ).toString('latin1');
  const names = [...MESSAGE_NAMES].map((name) => `js_${name}`);
  let plain = full.replace('2:cc3:4.0', '');
  for (const name of names) plain = plain.replace(`${name.length}:${name}i0e`, '');
  return Buffer.from(plain, 'latin1');
}

/** Ordinary messages of BitTorrent (BEP 3, 5 and 6), whole frames. */
export const PLAIN = {
  keepAlive: frame(),
  unchoke: frame(1),
  interested: frame(2),
  have: (piece: number): Uint8Array => frame(4, ...u32(piece)),
  /** One block. */
  request: (piece: number, offset: number, bytes: number): Uint8Array =>
    frame(6, ...u32(piece), ...u32(offset), ...u32(bytes)),
  dhtPort: (port: number): Uint8Array => frame(9, port >> 8, port & 0xff),
  haveAll: frame(14),
  haveNone: frame(15),
  allowedFast: (piece: number): Uint8Array => frame(17, ...u32(piece)),
} as const;

/** Whether an extended message is for one of the client's other extensions; its handshakes name 60 to 70 for the paid ones. */
export function isForeign(extendedId: number): boolean {
  return Object.values(FOREIGN_IDS).includes(extendedId);
}

/** Ids of plain messages that the tools look for. */
export const PLAIN_ID = { unchoke: 1, piece: 7, rejectRequest: 16, allowedFast: 17 } as const;

/** A frame of BEP 10. */
export function extendedFrame(id: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(u32(2 + payload.length)), Buffer.from([20, id]), payload]);
}

function frame(...body: number[]): Uint8Array {
  return Uint8Array.from([...u32(body.length), ...body]);
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
