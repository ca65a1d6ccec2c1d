/** What a torrent's sale amounts to over all nodes, and why. Pure: rows in, verdict out. */

export type SaleState =
  /** At least one node that answers sells it. */
  | 'on-sale'
  /** A node fetches the content. */
  | 'fetching'
  /** A node checks the content against the torrent's hashes. */
  | 'verifying'
  /** No node has taken it up yet. */
  | 'waiting'
  /** The operator paused it. */
  | 'paused'
  /** The operator removed it; its history stays. */
  | 'removed'
  /** At these terms a sale could never pay for its own settlement, so nodes are not asked to sell it. */
  | 'declined'
  /** The content is not where the operator said, on every node that looked. */
  | 'missing'
  /** The content does not match the torrent's hashes, on every node that looked. */
  | 'corrupt'
  /** Nodes could not read the content. */
  | 'failed';

export const SALE_STATES = [
  'on-sale',
  'fetching',
  'verifying',
  'waiting',
  'paused',
  'removed',
  'declined',
  'missing',
  'corrupt',
  'failed',
] as const satisfies readonly SaleState[];

/** Nodes in one state on one torrent. */
export interface SeedingCount {
  readonly state: string;
  /** Whether these nodes are heard of. */
  readonly alive: boolean;
  readonly nodes: number;
  /** Best progress among them, 0 … 1. */
  readonly progress: number;
  /** What one of them says. */
  readonly detail: string;
}

export interface Sale {
  readonly state: SaleState;
  /** Why, in words; empty when there is nothing to add. */
  readonly detail: string;
  /** Of the verification that is furthest, 0 … 1; 1 when on sale. */
  readonly progress: number;
  readonly nodesOnSale: number;
}

/** Of what nodes do before they sell, the furthest is shown. */
const UNDER_WAY = ['verifying', 'fetching'] as const;

/** Trouble is shown in this order when no node sells or verifies. */
const TROUBLE = ['corrupt', 'missing', 'failed'] as const;

/**
 * @param operatorState `active`, `paused` or `removed`
 * @param declined why nodes are not asked to sell it, or null
 */
export function saleOf(operatorState: string, declined: string | null, counts: readonly SeedingCount[]): Sale {
  if (operatorState === 'removed') return { state: 'removed', detail: '', progress: 0, nodesOnSale: 0 };
  if (operatorState === 'paused')
    return { state: 'paused', detail: '', progress: bestProgress(counts), nodesOnSale: 0 };
  if (declined !== null) return { state: 'declined', detail: declined, progress: bestProgress(counts), nodesOnSale: 0 };
  const alive = counts.filter((count) => count.alive);
  const nodesOnSale = alive.filter(({ state }) => state === 'on-sale').reduce((sum, { nodes }) => sum + nodes, 0);
  if (nodesOnSale > 0) return { state: 'on-sale', detail: '', progress: 1, nodesOnSale };
  for (const state of UNDER_WAY) {
    const found = alive.find((count) => count.state === state);
    if (found !== undefined) return { state, detail: found.detail, progress: found.progress, nodesOnSale };
  }
  for (const state of TROUBLE) {
    const found = alive.find((count) => count.state === state);
    if (found !== undefined) return { state, detail: found.detail, progress: found.progress, nodesOnSale };
  }
  const detail =
    alive.length > 0 ? '' : counts.length > 0 ? 'its nodes are not heard of' : 'no node has taken it up yet';
  return { state: 'waiting', detail, progress: bestProgress(alive), nodesOnSale };
}

function bestProgress(counts: readonly SeedingCount[]): number {
  return counts.reduce((best, { progress }) => Math.max(best, progress), 0);
}
