import {
  addressKey,
  Allowance,
  PEX_INTERVAL_MS,
  type Metainfo,
  type Peer,
  type PeerAddress,
} from '@seedfleet/bittorrent';
import type { Policy } from '@seedfleet/policy';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import { SmallTalk } from './small-talk.js';

export interface GossipParts {
  readonly policy: Policy;
  readonly regtest: boolean;
  readonly metrics: NodeMetrics;
}

/** Peers of a torrent that others are told of: with all of a large swarm, memory and time would grow by its square. */
const MAX_PRESENT = 200;

/** Tells peers of one another, and gives magnet links their metadata. */
export class Gossip {
  private readonly talks = new Map<string, Set<SmallTalk>>();
  private readonly metadataBytes: Allowance;
  private timer: NodeJS.Timeout | undefined;
  private listener: (infoHash: string, peers: readonly PeerAddress[]) => void = () => undefined;

  constructor(private readonly parts: GossipParts) {
    const { bytesPerSecond, burstBytes } = parts.policy.metadata;
    this.metadataBytes = new Allowance(bytesPerSecond, burstBytes);
  }

  /** @param onPeers hears of peers that others told us of */
  start(onPeers: (infoHash: string, peers: readonly PeerAddress[]) => void): void {
    this.listener = onPeers;
    this.timer = setInterval(() => this.tellAll(), PEX_INTERVAL_MS);
  }

  /** Listens to a peer before it is started. */
  join(peer: Peer, metainfo: Metainfo): void {
    const { policy, regtest, metrics } = this.parts;
    const talk = new SmallTalk(peer, {
      metainfo,
      metadataBytes: this.metadataBytes,
      metadataCopies: policy.metadata.copiesPerConnection,
      allowLocal: regtest,
      onPeers: (infoHash, peers) => {
        metrics.peersFound.inc({ source: 'pex' }, peers.length);
        this.listener(infoHash, peers);
      },
      onMetadata: (verdict) => metrics.metadataParts.inc({ verdict }),
    });
    if (metainfo.isPrivate) return;
    const present = this.talks.get(peer.infoHash) ?? new Set();
    this.talks.set(peer.infoHash, present.add(talk));
    peer.on('closed', () => {
      present.delete(talk);
      if (present.size === 0) this.talks.delete(peer.infoHash);
    });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tellAll(): void {
    for (const talks of this.talks.values()) {
      const present = new Map<string, PeerAddress>();
      for (const { address } of talks) {
        if (present.size === MAX_PRESENT) break;
        if (address !== undefined) present.set(addressKey(address), address);
      }
      for (const talk of talks) talk.tell(present);
    }
  }
}
