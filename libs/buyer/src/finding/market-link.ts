import { DEFAULT_METAINFO_LIMITS, parseHostPort, type Metainfo } from '@seedfleet/bittorrent';
import { z } from 'zod';
import { torrentOf } from '../download/torrent-file.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { PeerAddress } from '../options.js';

/** What the market says of a torrent; more than this is not needed, and may change. */
const listing = z.object({
  infoHash: z.string().regex(/^[0-9a-f]{40}$/),
  peers: z.array(z.string().max(300)).max(1_000),
  torrentFile: z.string().max(2_000),
});

const TIMEOUT_MS = 20_000;
const MAX_LISTING_BYTES = 256 * 1024;

export interface LinkedTorrent {
  readonly metainfo: Metainfo;
  readonly peers: readonly PeerAddress[];
}

/**
 * Follows a link: to a torrent on a fleet's market (any page or API address with its info hash in the path), or to a
 * .torrent file. Throws `link-unreachable` or `link-unusable`, or what is wrong with the torrent.
 */
export async function followLink(link: string): Promise<LinkedTorrent> {
  const url = new URL(link);
  const infoHash = /(?:^|[/#=])([0-9a-f]{40})(?:$|[/?&#])/i.exec(`${url.pathname}${url.hash}`)?.[1]?.toLowerCase();
  if (infoHash === undefined || url.pathname.endsWith('.torrent')) {
    return { metainfo: torrentOf(await fetchBytes(url, DEFAULT_METAINFO_LIMITS.maxMetainfoBytes), link), peers: [] };
  }
  const api = new URL(`/v1/market/torrents/${infoHash}`, url);
  const listed = listing.safeParse(jsonOf(await fetchBytes(api, MAX_LISTING_BYTES), api));
  if (!listed.success || listed.data.infoHash !== infoHash)
    throw unusable(api, 'the answer is no listing of this torrent');
  const file = new URL(listed.data.torrentFile, api);
  // A listing that leads elsewhere is no reason to ask hosts that the user did not name.
  if (file.origin !== api.origin) throw unusable(api, 'its torrent file lies elsewhere');
  const metainfo = torrentOf(await fetchBytes(file, DEFAULT_METAINFO_LIMITS.maxMetainfoBytes), file.href);
  if (metainfo.infoHash !== infoHash) throw unusable(file, 'it is another torrent');
  return { metainfo, peers: listed.data.peers.flatMap((peer) => parseHostPort(peer) ?? []) };
}

/** Reads an answer of at most so many bytes. */
async function fetchBytes(url: URL, maxBytes: number): Promise<Uint8Array> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'follow' });
    if (!answer.ok) throw unusable(url, `status ${answer.status}`);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of answer.body ?? []) {
      bytes += (part as Uint8Array).length;
      if (bytes > maxBytes) throw unusable(url, `more than ${maxBytes} bytes`);
      parts.push(part as Uint8Array);
    }
    return Buffer.concat(parts);
  } catch (failure) {
    if (failure instanceof BuyerError) throw failure;
    const cause = failure instanceof Error ? (failure.cause ?? failure.message) : failure;
    throw new BuyerError(ExitCode.failed, 'link-unreachable', `${url.href} can't be reached: ${String(cause)}`);
  }
}

function jsonOf(bytes: Uint8Array, url: URL): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw unusable(url, 'the answer is no JSON');
  }
}

function unusable(url: URL, why: string): BuyerError {
  return new BuyerError(ExitCode.usage, 'link-unusable', `${url.href} can't be used: ${why}`);
}
