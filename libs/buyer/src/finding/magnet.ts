import { parseHostPort } from '@seedfleet/bittorrent';
import type { PeerAddress } from '../options.js';

/** What a magnet link says (BEP 9). */
export interface Magnet {
  /** Lowercase hex. */
  readonly infoHash: string;
  readonly name: string | undefined;
  /** `x.pe`: peers named in the link. */
  readonly peers: readonly PeerAddress[];
  readonly trackers: readonly string[];
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** More of either are of no use. */
const MAX_LISTED = 50;

/** Reads a magnet link of a version 1 torrent; undefined where it is none. */
export function parseMagnet(text: string): Magnet | undefined {
  if (!/^magnet:\?/i.test(text) || text.length > 16_384) return undefined;
  const parameters = new URLSearchParams(text.slice(text.indexOf('?') + 1));
  const topics = parameters.getAll('xt').flatMap((topic) => /^urn:btih:([0-9a-z]+)$/i.exec(topic)?.[1] ?? []);
  const infoHash = topics.map(hashOf).find((hash) => hash !== undefined);
  if (infoHash === undefined) return undefined;
  return {
    infoHash,
    name: parameters.get('dn') ?? undefined,
    peers: parameters
      .getAll('x.pe')
      .slice(0, MAX_LISTED)
      .flatMap((peer) => parseHostPort(peer) ?? []),
    trackers: parameters.getAll('tr').slice(0, MAX_LISTED),
  };
}

/** 40 hexadecimal digits, or 32 of base 32. */
function hashOf(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (/^[0-9a-f]{40}$/.test(lower)) return lower;
  if (!/^[a-z2-7]{32}$/.test(lower)) return undefined;
  let bits = 0n;
  for (const letter of lower) bits = bits * 32n + BigInt(BASE32.indexOf(letter));
  return bits.toString(16).padStart(40, '0');
}
