import ipaddr from 'ipaddr.js';
import type { Request } from 'express';

/** A household or server has this much of IPv6 to itself, so all of it counts as one address. */
const IPV6_GROUP_BITS = 64;

/** Whom limits count: the address that a request came from, IPv6 by its /64. */
export function clientAddress(request: Request): string {
  const text = request.ip ?? request.socket.remoteAddress ?? '';
  if (!ipaddr.isValid(text)) return 'unknown';
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv4') return address.toString();
  const bytes = address.toByteArray().map((byte, place) => (place < IPV6_GROUP_BITS / 8 ? byte : 0));
  return `${ipaddr.fromByteArray(bytes).toString()}/${IPV6_GROUP_BITS}`;
}
