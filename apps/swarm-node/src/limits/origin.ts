import { isIPv6 } from 'node:net';

/** Where a peer comes from, as limits count it. */
export interface Origin {
  readonly address: string;
  /** /24 of IPv4, /48 of IPv6. */
  readonly subnet: string;
  /** This very machine, on regtest: limits per address and subnet may skip it. */
  readonly isLocal: boolean;
}

/** Origin of a plain address (no `::ffff:` prefix). `regtest`: whether loopback addresses count as local. */
export function originOf(address: string, regtest: boolean): Origin {
  return { address, subnet: subnetOf(address), isLocal: regtest && (address.startsWith('127.') || address === '::1') };
}

function subnetOf(address: string): string {
  if (!isIPv6(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  return `${expandIpv6(address).slice(0, 3).join(':')}::/48`;
}

/** The eight groups of an IPv6 address, without leading zeros. */
function expandIpv6(address: string): string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, missing)).fill('0'), ...right].map((group) =>
    Number.parseInt(group, 16).toString(16),
  );
}
