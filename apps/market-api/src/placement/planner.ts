import { FleetMap, placeTorrent, type PlacementNode } from '@seedfleet/placement';
import { placedTorrent, type Decided, type HeldRow, type TorrentRow } from './placement.repository.js';

/** A fleet's nodes with what is placed on them, and the decisions made so far: pure, so that a dry run is the real one. */
export class Planner {
  private readonly map: FleetMap;
  private readonly addresses: ReadonlyMap<string, string>;
  private readonly gone: ReadonlySet<string>;

  constructor(nodes: readonly PlacementNode[], held: readonly HeldRow[]) {
    this.map = new FleetMap(nodes);
    this.addresses = new Map(nodes.map(({ id, address }) => [id, address]));
    this.gone = new Set(nodes.filter(({ standing }) => standing === 'gone').map(({ id }) => id));
    for (const { nodeId, torrents, bytes } of held) this.map.occupy(nodeId, Number(bytes), torrents);
  }

  decide(row: TorrentRow, mayMove: boolean): Decided {
    const decision = placeTorrent(this.map, placedTorrent(row), mayMove);
    const taken = new Set(decision.add.map((id) => this.addresses.get(id)));
    const endAtOnce = decision.drop.filter((id) => this.gone.has(id) || taken.has(this.addresses.get(id)));
    return { infoHash: row.infoHash, decision, endAtOnce };
  }

  /** Torrents and bytes on a node, as decided so far. */
  heldBy(id: string): { readonly torrents: number; readonly bytes: number } {
    return this.map.held(id);
  }
}

/** Whether a decision changes which nodes sell a torrent. */
export function changes({ decision }: Decided): boolean {
  return decision.add.length + decision.drop.length > 0;
}
