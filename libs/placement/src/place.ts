import type { FleetMap, Occupied } from './fleet-map.js';
import { distance, seedOf, type Seed } from './rendezvous.js';

export interface PlacedTorrent {
  readonly infoHash: string;
  readonly bytes: number;
  /** How many nodes are to sell it. */
  readonly replicas: number;
  /** Nodes that hold it in the plan so far. */
  readonly on: readonly string[];
}

/** Why a torrent has fewer sellers than it should. */
export type Shortage =
  /** No node takes torrents. */
  | 'no-open-node'
  /** Every node that takes torrents shares an address with a seller of this one. */
  | 'no-free-address'
  /** Nodes with a free address have no room. */
  | 'no-room';

export interface PlacementDecision {
  /** Nodes that go on. */
  readonly keep: readonly string[];
  /** Nodes that get the torrent. */
  readonly add: readonly string[];
  /** Nodes that give it up, once what replaces them sells it. */
  readonly drop: readonly string[];
  readonly shortage: Shortage | null;
}

interface Candidate {
  readonly occupied: Occupied;
  readonly distance: number;
}

/**
 * Decides where one torrent goes, and counts it in the map. `map` must already hold what each node has, this torrent
 * included (`occupy`). Nodes that are gone or closing are replaced; an open node that is nearer than the farthest
 * present one takes its place if `mayMove`, which is how a node that joins gets its share and no more.
 */
export function placeTorrent(map: FleetMap, torrent: PlacedTorrent, mayMove: boolean): PlacementDecision {
  const seed = seedOf(torrent.infoHash);
  const present = torrent.on.map((id) => map.get(id)).filter((held): held is Occupied => held !== undefined);
  const staying = oncePerAddress(seed, present).slice(0, torrent.replicas);
  const chosen = new Set(staying.map(({ occupied }) => occupied));
  const wanted = candidates(map, seed, torrent, chosen, mayMove);
  const taken = spread(staying, wanted, torrent.replicas, mayMove);

  const keep: string[] = [];
  const add: string[] = [];
  for (const { occupied } of taken) (torrent.on.includes(occupied.node.id) ? keep : add).push(occupied.node.id);
  const drop = torrent.on.filter((id) => !keep.includes(id));
  for (const id of add) map.occupy(id, torrent.bytes);
  for (const id of drop) map.release(id, torrent.bytes);
  return { keep, add, drop, shortage: taken.length < torrent.replicas ? shortage(map, taken) : null };
}

/** The open nodes among those present, nearest first, one to an address. */
function oncePerAddress(seed: Seed, present: readonly Occupied[]): Candidate[] {
  const addresses = new Set<string>();
  return present
    .filter(({ node }) => node.standing === 'open')
    .map((occupied) => ({ occupied, distance: distance(seed, occupied.seed, occupied.node.weight) }))
    .sort(nearest)
    .filter(({ occupied }) => {
      if (addresses.has(occupied.node.address)) return false;
      addresses.add(occupied.node.address);
      return true;
    });
}

/**
 * Open nodes with room that may get the torrent: of each zone the nearest, one to an address, twice as many as there are
 * to be sellers. More can't be needed: the others take at most one address each.
 */
function candidates(
  map: FleetMap,
  seed: Seed,
  torrent: PlacedTorrent,
  staying: ReadonlySet<Occupied>,
  mayMove: boolean,
): Candidate[] {
  if (!mayMove && staying.size >= torrent.replicas) return [];
  const most = 2 * torrent.replicas;
  const found: Candidate[] = [];
  for (const zone of map.openByZone) {
    const best: Candidate[] = [];
    let bound = Infinity;
    for (const occupied of zone) {
      const away = distance(seed, occupied.seed, occupied.node.weight);
      // Nearly every node ends here: a fleet's whole plan is a thousand million of these.
      if (away > bound || staying.has(occupied) || !map.hasRoom(occupied, torrent.bytes)) continue;
      insert(best, { occupied, distance: away }, most);
      if (best.length >= most) bound = best[best.length - 1]?.distance ?? Infinity;
    }
    found.push(...best);
  }
  return found;
}

/** Keeps `best` sorted, one candidate to an address, no longer than `most`. */
function insert(best: Candidate[], candidate: Candidate, most: number): void {
  const farthest = best[best.length - 1];
  if (best.length >= most && farthest !== undefined && nearest(farthest, candidate) < 0) return;
  const { address } = candidate.occupied.node;
  const twin = best.findIndex(({ occupied }) => occupied.node.address === address);
  if (twin >= 0) {
    if (nearest(best[twin] as Candidate, candidate) < 0) return;
    best.splice(twin, 1);
  }
  let at = best.length;
  while (at > 0 && nearest(candidate, best[at - 1] as Candidate) < 0) at -= 1;
  best.splice(at, 0, candidate);
  if (best.length > most) best.pop();
}

/**
 * Takes the nearest nodes, first one to a zone, then the rest; never two of one address. Without `mayMove` those present
 * go before others, however near.
 */
function spread(staying: Candidate[], others: Candidate[], replicas: number, mayMove: boolean): Candidate[] {
  const taken: Candidate[] = [];
  const zones = new Set<string>();
  const addresses = new Set<string>();
  const take = (from: readonly Candidate[], newZonesOnly: boolean): void => {
    for (const candidate of from) {
      if (taken.length >= replicas) return;
      const { zone, address } = candidate.occupied.node;
      if (addresses.has(address) || (newZonesOnly && zones.has(zone))) continue;
      taken.push(candidate);
      zones.add(zone);
      addresses.add(address);
    }
  };
  const all = [...staying, ...others].sort(nearest);
  if (!mayMove) take(staying, false);
  take(all, true);
  take(all, false);
  return taken;
}

function shortage(map: FleetMap, taken: readonly Candidate[]): Shortage {
  const addresses = new Set(taken.map(({ occupied }) => occupied.node.address));
  const open = map.openByZone.flat();
  if (open.length === 0) return 'no-open-node';
  return open.every(({ node }) => addresses.has(node.address)) ? 'no-free-address' : 'no-room';
}

function nearest(one: Candidate, other: Candidate): number {
  if (one.distance !== other.distance) return one.distance - other.distance;
  return one.occupied.node.id < other.occupied.node.id ? -1 : 1;
}
