import type { Peer } from '@seedfleet/bittorrent';
import type { Shelf } from '../content/shelf.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Origin } from '../limits/origin.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { SalesFloor } from '../selling/sales-floor.js';
import type { Gossip } from './gossip.js';

export interface EntranceParts {
  readonly shelf: Shelf;
  readonly floor: SalesFloor;
  readonly limits: ConnectionLimits;
  readonly gossip: Gossip;
  readonly metrics: NodeMetrics;
}

/** Where peers come together after their handshake, whoever connected; knows who is here. */
export class Entrance {
  /** How many connections there are of a torrent and an address, and of a torrent and a peer id. */
  private readonly present = new Map<string, number>();

  constructor(private readonly parts: EntranceParts) {}

  isConnected(infoHash: string, address: string): boolean {
    return this.present.has(`${infoHash} ${address}`);
  }

  /**
   * Takes in a peer that `limits` has counted; false where it was sent away instead.
   *
   * @param onClosed told when a peer that was taken in has left
   */
  take(peer: Peer, origin: Origin, onClosed: () => void = () => undefined): boolean {
    const { shelf, floor, limits, gossip, metrics } = this.parts;
    limits.handshaken(origin);
    const torrent = shelf.onSale(peer.infoHash);
    const keys = [peer.remoteAddress, Buffer.from(peer.remotePeerId).toString('hex')].map(
      (of) => `${peer.infoHash} ${of}`,
    );
    // Both sides dialled at once: the connection that is there already stays.
    const isSecond = peer.direction === 'outbound' && keys.some((key) => this.present.has(key));
    if (torrent === undefined || floor.isDraining || isSecond) {
      limits.leave(origin);
      peer.close();
      return false;
    }
    metrics.protectedConnections.inc({ protection: peer.protection });
    for (const key of keys) this.present.set(key, (this.present.get(key) ?? 0) + 1);
    gossip.join(peer, torrent.metainfo);
    floor.welcome(peer, torrent, origin, () => {
      for (const key of keys) this.drop(key);
      limits.leave(origin);
      onClosed();
    });
    return true;
  }

  private drop(key: string): void {
    const count = (this.present.get(key) ?? 0) - 1;
    if (count > 0) this.present.set(key, count);
    else this.present.delete(key);
  }
}
