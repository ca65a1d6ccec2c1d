import { seedOf, type Seed } from './rendezvous.js';

/** A node as placement sees it. */
export interface PlacementNode {
  readonly id: string;
  /** Where it stands: replicas are spread over zones as far as there are some. */
  readonly zone: string;
  /** Public host, without port: buyers keep one connection per address and torrent, so an address sells a torrent once. */
  readonly address: string;
  /** Share of the torrents relative to other nodes; above 0. */
  readonly weight: number;
  /** Most content it takes, bytes. */
  readonly capacityBytes: number;
  /** Most torrents it takes. */
  readonly maxTorrents: number;
  /**
   * open: takes torrents; closing: keeps what it has until another sells it (draining, or taken out by an operator);
   * gone: sells nothing any more (silent).
   */
  readonly standing: 'open' | 'closing' | 'gone';
}

interface Occupied {
  readonly node: PlacementNode;
  readonly seed: Seed;
  torrents: number;
  bytes: number;
}

/** The nodes, and what each holds while a plan is made. */
export class FleetMap {
  private readonly byId = new Map<string, Occupied>();
  /** Nodes that take torrents, by zone. */
  readonly openByZone: readonly (readonly Occupied[])[];

  constructor(nodes: readonly PlacementNode[]) {
    for (const node of nodes) {
      if (!(node.weight > 0)) throw new RangeError(`the weight of node ${node.id} is not above 0`);
      this.byId.set(node.id, { node, seed: seedOf(node.id), torrents: 0, bytes: 0 });
    }
    const zones = new Map<string, Occupied[]>();
    for (const held of this.byId.values()) {
      if (held.node.standing !== 'open') continue;
      const zone = zones.get(held.node.zone);
      if (zone === undefined) zones.set(held.node.zone, [held]);
      else zone.push(held);
    }
    this.openByZone = [...zones.values()];
  }

  get(id: string): Occupied | undefined {
    return this.byId.get(id);
  }

  /** Counts torrents as held by a node, also where they are beyond its capacity. */
  occupy(id: string, bytes: number, torrents = 1): void {
    const held = this.byId.get(id);
    if (held === undefined) return;
    held.torrents += torrents;
    held.bytes += bytes;
  }

  release(id: string, bytes: number): void {
    const held = this.byId.get(id);
    if (held === undefined) return;
    held.torrents -= 1;
    held.bytes -= bytes;
  }

  /** Whether a node has room for one more torrent of this size. */
  hasRoom({ node, torrents, bytes }: Occupied, torrentBytes: number): boolean {
    return torrents < node.maxTorrents && bytes + torrentBytes <= node.capacityBytes;
  }

  /** What a node holds in this plan; zeros for one that is not known. */
  held(id: string): { readonly torrents: number; readonly bytes: number } {
    const held = this.byId.get(id);
    return { torrents: held?.torrents ?? 0, bytes: held?.bytes ?? 0 };
  }
}

export type { Occupied };
