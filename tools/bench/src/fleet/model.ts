import { PARTS, perPart, type PerPart, type SharedPart } from './shared-parts.js';

/** What was measured, in processor seconds of this machine. */
export interface MeasuredCosts {
  /** Of the shared parts, for one payment while a transfer runs. */
  readonly perPayment: PerPart;
  /** For one sale from join to burial, its payments not counted. */
  readonly perSale: PerPart;
  /** Each second, whatever is sold: of the parts themselves, and for each node. */
  readonly idle: PerPart;
  readonly idlePerNode: PerPart;
  /** Price of the pieces that were paid for, satoshi. */
  readonly pieceSat: number;
  /** Of a node, for one byte sold. */
  readonly nodePerByte: number;
}

/** What the fleet sells. */
export interface Load {
  readonly nodeBytesPerSecond: number;
  readonly saleBytes: number;
  readonly pieceBytes: number;
  readonly pieceSat: number;
}

export interface FleetOfSize {
  readonly nodes: number;
  readonly bytesPerSecond: number;
  /** Cores that each part keeps busy. */
  readonly cores: PerPart;
  readonly nodeCores: number;
  /** Core hours for 10^12 bytes sold: of the nodes, and of everything that they share. */
  readonly nodeHoursPerTb: number;
  readonly sharedHoursPerTb: number;
}

const TB = 1e12;
const HOUR_SECONDS = 3_600;

/** What these do while a sale runs goes by its satoshi: they sign and hold checkpoints. */
const BY_SATOSHI: readonly SharedPart[] = ['channel-settler', 'chain-watcher'];

/** Cores for one node's sales, by part. */
function coresPerNode(costs: MeasuredCosts, load: Load): PerPart {
  const dearer = load.pieceSat / costs.pieceSat;
  const perPayment = (part: SharedPart): number => costs.perPayment[part] * (BY_SATOSHI.includes(part) ? dearer : 1);
  const paymentsPerSecond = load.nodeBytesPerSecond / load.pieceBytes;
  const salesPerSecond = load.nodeBytesPerSecond / load.saleBytes;
  return perPart(
    (part) => costs.idlePerNode[part] + paymentsPerSecond * perPayment(part) + salesPerSecond * costs.perSale[part],
  );
}

/** A fleet of so many nodes, each selling at full rate: costs add up, nothing is assumed to get cheaper by batching. */
export function fleetOfSize(nodes: number, costs: MeasuredCosts, load: Load): FleetOfSize {
  const each = coresPerNode(costs, load);
  const cores = perPart((part) => costs.idle[part] + nodes * each[part]);
  const bytesPerSecond = nodes * load.nodeBytesPerSecond;
  const nodeCores = bytesPerSecond * costs.nodePerByte;
  const hoursPerTb = (busy: number): number => (busy * (TB / bytesPerSecond)) / HOUR_SECONDS;
  const shared = PARTS.reduce((sum, part) => sum + cores[part], 0);
  return {
    nodes,
    bytesPerSecond,
    cores,
    nodeCores,
    nodeHoursPerTb: hoursPerTb(nodeCores),
    sharedHoursPerTb: hoursPerTb(shared),
  };
}

/** How many such nodes keep one core of a part busy: Infinity where they never do. */
export function nodesAtLimit(costs: MeasuredCosts, load: Load): PerPart {
  const each = coresPerNode(costs, load);
  return perPart((part) => (each[part] <= 0 ? Infinity : Math.max(0, 1 - costs.idle[part]) / each[part]));
}
