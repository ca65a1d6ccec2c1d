import { createPeerId, fetchMetadata, type Metainfo } from '@seedfleet/bittorrent';
import { torrentOf } from '../download/torrent-file.js';
import { addressKey } from '../download/reputation.js';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { PeerAddress } from '../options.js';
import type { Magnet } from './magnet.js';
import type { LinkedTorrent } from './market-link.js';
import { searchPeers, type PeerSearchOptions } from './peer-search.js';

/** Peers asked at once. */
const CONCURRENT = 8;
/** Peers tried in all. */
const MAX_TRIED = 200;
const GIVE_UP_MS = 120_000;
const LOOK_EVERY_MS = 200;

/**
 * The torrent of a magnet link: its info dictionary from the peers that the link, the user, trackers or the DHT name.
 * Throws `metadata-not-found` when nobody has it in time.
 */
export async function resolveMagnet(
  magnet: Magnet,
  given: readonly PeerAddress[],
  search: PeerSearchOptions | undefined,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<LinkedTorrent> {
  const { infoHash, trackers } = magnet;
  const waiting = new Map<string, PeerAddress>();
  const known = new Map<string, PeerAddress>();
  const add = (peers: readonly PeerAddress[]): void => {
    for (const peer of peers) {
      const key = addressKey(peer);
      if (known.has(key) || known.size >= MAX_TRIED) continue;
      known.set(key, peer);
      waiting.set(key, peer);
    }
  };
  add([...given, ...magnet.peers]);
  const sought = { infoHash, announce: trackers, isPrivate: false, leftBytes: 1 };
  const stop = search === undefined ? undefined : await searchPeers(sought, search, add, reporter);
  try {
    const info = await askPeers(infoHash, waiting, signal);
    const metainfo: Metainfo = torrentOf(
      Buffer.concat([Buffer.from('d4:info'), info, Buffer.from('e')]),
      'the magnet link',
    );
    return { metainfo: { ...metainfo, announce: trackers }, peers: [...known.values()] };
  } finally {
    await stop?.();
  }
}

async function askPeers(infoHash: string, waiting: Map<string, PeerAddress>, signal: AbortSignal): Promise<Uint8Array> {
  const peerId = createPeerId();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal, AbortSignal.timeout(GIVE_UP_MS)]);
  let found: Uint8Array | undefined;
  const askInTurn = async (): Promise<void> => {
    while (found === undefined && !either.aborted) {
      const [key, from] = waiting.entries().next().value ?? [];
      if (key === undefined || from === undefined) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        continue;
      }
      waiting.delete(key);
      const answer = await fetchMetadata({ infoHash, from, peerId, signal: either });
      if (answer.ok) found = answer.value;
    }
    over.abort();
  };
  await Promise.all(Array.from({ length: CONCURRENT }, askInTurn));
  if (found !== undefined) return found;
  const message = signal.aborted ? 'interrupted' : 'no peer has the metadata of this magnet link';
  throw new BuyerError(ExitCode.failed, signal.aborted ? 'interrupted' : 'metadata-not-found', message);
}
