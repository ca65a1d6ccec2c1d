import { createPeerId, Discovery, type Metainfo } from '@seedfleet/bittorrent';
import type { Reporter } from '../events.js';
import type { PeerAddress } from '../options.js';

/** Where the mainline DHT is joined: what reference clients ask (client behaviour §5). */
export const DHT_BOOTSTRAP = [
  'router.bittorrent.com:6881',
  'router.utorrent.com:6881',
  'dht.libtorrent.org:25401',
  'dht.transmissionbt.com:6881',
  'dht.aelitis.com:6881',
] as const;

export interface PeerSearchOptions {
  /** `local`: only those on this machine and in private networks. */
  readonly trackers: 'on' | 'local' | 'off';
  /** HOST:PORT of nodes to join the DHT through; none: no DHT. */
  readonly dhtBootstrap: readonly string[];
  /** Whether peers on this machine and in private networks count. */
  readonly allowLocal: boolean;
}

/** A torrent to look for: with its trackers, or, of a magnet link, with the link's. */
export type Sought = Pick<Metainfo, 'infoHash' | 'announce' | 'isPrivate'> & { readonly leftBytes: number };

/**
 * Looks for peers by trackers and DHT, under the torrent's hash and under that of JoyStream clients, until it is
 * stopped. A DHT that can't be opened is told and done without.
 */
export async function searchPeers(
  sought: Sought,
  options: PeerSearchOptions,
  onPeers: (peers: readonly PeerAddress[]) => void,
  reporter: Reporter,
): Promise<() => Promise<void>> {
  const open = (dht: { port: number; bootstrap: readonly string[] } | null) =>
    Discovery.open({
      peerId: createPeerId(),
      host: '0.0.0.0',
      dht,
      trackers: options.trackers,
      // Who was given a private torrent may ask its tracker; nobody else hears of it (BEP 27).
      privateTrackers: true,
      allowLocal: options.allowLocal,
      onPeers: (_infoHash, peers, source) => {
        reporter.report({ event: 'peers-found', source, count: peers.length });
        onPeers(peers);
      },
    });
  const wanted = options.dhtBootstrap.length === 0 ? null : { port: 0, bootstrap: options.dhtBootstrap };
  let discovery = await open(wanted);
  if (!discovery.ok && wanted !== null) {
    reporter.report({ event: 'retrying', code: discovery.error.code, message: `no DHT: ${discovery.error.detail}` });
    discovery = await open(null);
  }
  if (!discovery.ok) return () => Promise.resolve();
  const { value } = discovery;
  const { infoHash, announce, isPrivate, leftBytes } = sought;
  value.add({ infoHash, announce, isPrivate, port: null, leftBytes });
  return () => value.stop();
}
