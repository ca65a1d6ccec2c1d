import type { Target } from './target.js';

/** A source of connections: on loopback every buyer has a /24 of its own; elsewhere all share this machine's address. */
export function sourceAddress(target: Target, subnet: number, host: number): { readonly localAddress?: string } {
  return target.address.startsWith('127.') ? { localAddress: `127.${subnet}.0.${host}` } : {};
}
