import ipaddr from 'ipaddr.js';

/**
 * Which addresses a service may call on somebody's word, for a webhook or for content. Only public unicast ones: everything
 * else — loopback, private, link-local with the metadata services of clouds, carrier NAT, multicast, and IPv6 ranges that
 * stand for IPv4 addresses — would let whoever names one reach into the operator's own network. Networks that the operator
 * names are allowed besides.
 */
export function mayCall(addressText: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(addressText)) return false;
  // IPv6 notations of IPv4 addresses are judged as what they stand for.
  const address = ipaddr.process(addressText);
  const named = networks.some((network) => {
    const [range, bits] = ipaddr.parseCIDR(network);
    return range.kind() === address.kind() && address.match(range, bits);
  });
  return named || address.range() === 'unicast';
}

/** The address that a URL's host is, where it is one; undefined for a name. */
export function literalAddress(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return ipaddr.isValid(bare) ? bare : undefined;
}
