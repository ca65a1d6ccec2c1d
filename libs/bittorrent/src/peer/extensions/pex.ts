import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { decodeBencode } from '../../bencode/decode.js';
import { parseCompact, type PeerAddress } from '../../discovery/addresses.js';

/** Most peers of one kind in a message, of each address family (BEP 11). */
export const MAX_PEX_PEERS = 50;
/** Longest message read: four lists of 50 peers with flags have less than 3 KiB. */
export const MAX_PEX_BYTES = 8 * 1024;
/** Messages to one peer are at least so far apart. */
export const PEX_INTERVAL_MS = 60_000;

const LIMITS = { maxDepth: 2, maxValues: 64 };
/** Flag: we connected to the peer, so it takes connections. */
const REACHABLE = 0x10;

/** Peers that a `ut_pex` message adds, unchecked, at most 50 of each address family; undefined for anything else. */
export function readPex(payload: Uint8Array): PeerAddress[] | undefined {
  if (payload.length > MAX_PEX_BYTES) return undefined;
  const decoded = decodeBencode(payload, LIMITS);
  if (!decoded.ok || decoded.value.type !== 'dictionary') return undefined;
  const { value } = decoded.value;
  return ([4, 6] as const).flatMap((family) => {
    const list = value.get(family === 4 ? 'added' : 'added6');
    return list?.type === 'string' ? parseCompact(list.value, family, MAX_PEX_PEERS) : [];
  });
}

/** A message that tells of peers that came and went; what is beyond 50 of a kind is left out. All are reachable. */
export function encodePex(added: readonly PeerAddress[], dropped: readonly PeerAddress[]): Uint8Array {
  const [added4, added6] = [compact(added, true), compact(added, false)];
  const [dropped4, dropped6] = [compact(dropped, true), compact(dropped, false)];
  const flags = (bytes: Buffer, size: number): Buffer => Buffer.alloc(bytes.length / size, REACHABLE);
  return Buffer.concat([
    Buffer.from('d'),
    entry('added', added4),
    entry('added.f', flags(added4, 6)),
    entry('added6', added6),
    entry('added6.f', flags(added6, 18)),
    entry('dropped', dropped4),
    entry('dropped6', dropped6),
    Buffer.from('e'),
  ]);
}

function entry(key: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${key.length}:${key}${value.length}:`), value]);
}

function compact(peers: readonly PeerAddress[], wantIpv4: boolean): Buffer {
  const chosen = peers.filter(({ host }) => isIPv4(host) === wantIpv4).slice(0, MAX_PEX_PEERS);
  return Buffer.concat(
    chosen.map(({ host, port }) => Buffer.from([...ipaddr.parse(host).toByteArray(), port >> 8, port & 255])),
  );
}
