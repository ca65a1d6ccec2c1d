import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where somebody listens for peers. */
export interface PeerAddress {
  /** An IPv4 address, or an IPv6 address without brackets. Never a name. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/**
 * Port told to trackers by who only asks, as the protocol demands one. Nobody offers BitTorrent there, so it is no
 * peer's.
 */
export const NO_PORT = 1;

/**
 * Whether an address from a stranger may be contacted. Trackers and DHT nodes can name any address: without this check
 * they could make a node knock at hosts of its own network.
 *
 * @param allowLocal also loopback and private networks, for fleets on one machine
 */
export function isContactable(address: PeerAddress, allowLocal: boolean): boolean {
  const { host, port } = address;
  if (!Number.isInteger(port) || port <= NO_PORT || port > 65_535 || isIP(host) === 0) return false;
  const parsed = ipaddr.process(host);
  const range = parsed.range();
  if (range === 'unicast') return true;
  return allowLocal && LOCAL_RANGES.has(range);
}

const LOCAL_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'uniqueLocal',
  'linkLocal',
  'carrierGradeNat',
]);

/** Whether the host of a URL is this machine or on a private network, as far as its text tells. */
export function isLocalHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || (isIP(host) !== 0 && LOCAL_RANGES.has(ipaddr.process(host).range()));
}

/** The one way of writing an address as a key. */
export function addressKey({ host, port }: PeerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address from its text: `1.2.3.4:5`, `[::1]:5`, or with a name where names are allowed by the caller. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

const COMPACT_BYTES = { 4: 6, 6: 18 } as const;

/** Peers in compact form (BEP 5, 7, 23), at most so many; what does not fill an entry is left out. */
export function parseCompact(bytes: Uint8Array, family: 4 | 6, most: number): PeerAddress[] {
  const size = COMPACT_BYTES[family];
  const peers: PeerAddress[] = [];
  for (let at = 0; at + size <= bytes.length && peers.length < most; at += size) {
    const host = hostOfBytes(bytes.subarray(at, at + size - 2));
    peers.push({ host, port: ((bytes[at + size - 2] ?? 0) << 8) | (bytes[at + size - 1] ?? 0) });
  }
  return peers;
}

/** An address of 4 or 16 bytes; IPv4 in IPv6 becomes plain IPv4. */
export function hostOfBytes(bytes: Uint8Array): string {
  return ipaddr.process(ipaddr.fromByteArray([...bytes]).toString()).toString();
}
