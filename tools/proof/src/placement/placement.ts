import { FleetMap, placeTorrent, type PlacementNode } from '@seedfleet/placement';
import type { Scorecard } from '../scorecard.js';

const GIB = 2 ** 30;
const REPLICAS = 2;
const ZONES = 5;
/** A tenth of the fleet's room stays free, as an operator would have it. */
const FILL = 0.9;

interface Size {
  readonly nodes: number;
  readonly torrents: number;
}

/** A simulated fleet: nodes of one to four disks in five zones, torrents of 0.1 to 50 GiB. */
class SimulatedFleet {
  readonly infoHashes: readonly string[];
  readonly bytes: readonly number[];
  /** By index of the torrent. */
  on: (readonly string[])[];
  readonly diskBytes: number;

  constructor(
    readonly nodes: PlacementNode[],
    torrents: number,
  ) {
    this.infoHashes = Array.from({ length: torrents }, (_, index) => pseudoHash(index));
    this.bytes = Array.from({ length: torrents }, (_, index) => Math.round(GIB * 0.1 * 500 ** fraction(index)));
    this.on = Array.from({ length: torrents }, () => []);
    const wanted = this.bytes.reduce((sum, bytes) => sum + bytes, 0) * REPLICAS;
    this.diskBytes = Math.ceil(wanted / FILL / nodes.reduce((sum, { weight }) => sum + weight, 0));
    this.nodes = nodes.map((node) => ({ ...node, capacityBytes: this.diskBytes * node.weight }));
  }

  /** Places every torrent anew in the fleet as it is; returns copies made, shortages and seconds. */
  replan(): { readonly copies: number; readonly short: number; readonly seconds: number; readonly map: FleetMap } {
    const startedMs = performance.now();
    const map = new FleetMap(this.nodes);
    this.on.forEach((on, index) => on.forEach((id) => map.occupy(id, this.bytes[index] ?? 0)));
    let copies = 0;
    let short = 0;
    this.on = this.on.map((on, index) => {
      const torrent = { infoHash: this.infoHashes[index] ?? '', bytes: this.bytes[index] ?? 0, replicas: REPLICAS, on };
      const { keep, add, shortage } = placeTorrent(map, torrent, true);
      copies += add.length;
      if (shortage !== null) short += 1;
      return [...keep, ...add];
    });
    return { copies, short, seconds: (performance.now() - startedMs) / 1000, map };
  }

  change(id: string, standing: PlacementNode['standing']): void {
    const index = this.nodes.findIndex((node) => node.id === id);
    const node = this.nodes[index];
    if (node !== undefined) this.nodes[index] = { ...node, standing };
  }

  /** Weight of the nodes that take torrents. */
  openWeight(): number {
    return this.nodes.reduce((sum, { standing, weight }) => sum + (standing === 'open' ? weight : 0), 0);
  }
}

/** Places a million torrents on a thousand nodes, lets nodes come and go, and measures what moves. */
export async function provePlacement(short: boolean, scores: Scorecard): Promise<void> {
  const size: Size = short ? { nodes: 60, torrents: 20_000 } : { nodes: 1_000, torrents: 1_000_000 };
  const fleet = new SimulatedFleet(
    Array.from({ length: size.nodes }, (_, index) => simulatedNode(index)),
    size.torrents,
  );
  const replicas = size.torrents * REPLICAS;
  await scores.run(`${size.torrents} torrents on ${size.nodes} nodes, twice each, in two zones`, async () => {
    const { copies, short: lacking, seconds, map } = fleet.replan();
    const filled = fleet.nodes.map(({ id, weight }) => map.held(id).torrents / weight);
    const mean = filled.reduce((sum, each) => sum + each, 0) / filled.length;
    const spread = [Math.min(...filled) / mean, Math.max(...filled) / mean];
    scores.line(
      `    placed in ${seconds.toFixed(1)} s; least and most torrents per weight: ${percent(spread)} of the mean`,
    );
    const faults = sameZone(fleet);
    if (copies !== replicas || lacking > 0) faults.push(`${copies} copies of ${replicas}, ${lacking} torrents too few`);
    if ((spread[0] ?? 0) < 0.7 || (spread[1] ?? 9) > 1.3) faults.push('nodes are filled unevenly');
    return faults;
  });
  await scores.run('nothing moves while nothing changes', async () => {
    const { copies } = fleet.replan();
    return copies === 0 ? [] : [`${copies} copies`];
  });
  const joining = { ...simulatedNode(size.nodes), weight: 2 };
  await scores.run('a node joins', async () => {
    fleet.nodes.push({ ...joining, capacityBytes: fleet.diskBytes * joining.weight });
    return moved(fleet, scores, replicas, joining.weight / fleet.openWeight());
  });
  await scores.run('a node goes silent', async () => {
    const ideal = joining.weight / fleet.openWeight();
    fleet.change(joining.id, 'gone');
    const faults = moved(fleet, scores, replicas, ideal);
    if (fleet.on.some((on) => on.includes(joining.id))) faults.push('it still has torrents');
    return faults;
  });
  await scores.run('one node in fifty is drained', async () => {
    const leaving = fleet.nodes.filter(({ standing }, index) => standing === 'open' && index % 50 === 7);
    const ideal = leaving.reduce((sum, { weight }) => sum + weight, 0) / fleet.openWeight();
    for (const { id } of leaving) fleet.change(id, 'closing');
    return moved(fleet, scores, replicas, ideal);
  });
}

function moved(fleet: SimulatedFleet, scores: Scorecard, replicas: number, ideal: number): string[] {
  const { copies, short, seconds } = fleet.replan();
  const share = copies / replicas;
  scores.line(
    `    ${percent([share])} of the copies moved, ideal ${percent([ideal])}; planned in ${seconds.toFixed(1)} s`,
  );
  const faults = sameZone(fleet);
  if (share > 1.5 * ideal || share < 0.5 * ideal) faults.push('far from the ideal share');
  if (short > 0) faults.push(`${short} torrents have too few sellers`);
  return faults;
}

function sameZone(fleet: SimulatedFleet): string[] {
  const zones = new Map(fleet.nodes.map(({ id, zone }) => [id, zone]));
  const wrong = fleet.on.filter((on) => new Set(on.map((id) => zones.get(id))).size !== REPLICAS).length;
  return wrong === 0 ? [] : [`${wrong} torrents are not in ${REPLICAS} zones`];
}

function simulatedNode(index: number): PlacementNode {
  return {
    id: `node-${index}`,
    zone: `zone-${index % ZONES}`,
    address: `10.${index >> 8}.${index & 255}.1`,
    weight: 1 + (index % 4),
    capacityBytes: 0,
    maxTorrents: 10_000_000,
    standing: 'open',
  };
}

/** Spread over (0, 1) without repeating: the golden ratio's multiples. */
function fraction(index: number): number {
  return (index * 0.6180339887498949) % 1;
}

function pseudoHash(index: number): string {
  return (BigInt(index + 1) * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bn).toString(16).padStart(40, '0').slice(-40);
}

function percent(shares: readonly number[]): string {
  return shares.map((share) => `${(share * 100).toFixed(2)} %`).join(' and ');
}
