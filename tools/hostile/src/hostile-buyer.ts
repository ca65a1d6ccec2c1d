import type { Ground } from './world/ground.js';
import type { Target } from './world/target.js';

/** The most that one hostile buyer may get, and may cost. */
export interface Bound {
  /** Pieces of content without payment. */
  readonly pieces: (target: Target) => number;
  /** Bytes of speed tests. */
  readonly testBytes?: number;
  /** Processor seconds of the node, beyond what the honest buyer needs. */
  readonly cpuSeconds: number;
  /** Rise of the node's resident memory. */
  readonly memoryMib: number;
  /** In words, for the table. */
  readonly words: string;
}

/** What it came to, beside the pieces and plain bytes that the ground counts itself. */
export interface Gain {
  readonly testBytes?: number;
  /** Where pieces were "paid" with what is worth nothing: all that came. Default: what was not paid. */
  readonly unpaidPieces?: number;
  /** What did not hold of its own bound, in sentences. */
  readonly faults?: readonly string[];
  /** What it tried, and how it ended. */
  readonly note: string;
}

export interface HostileBuyer {
  readonly name: string;
  readonly bound: Bound;
  /** Whether it needs a funded channel. */
  readonly needsMoney: boolean;
  /** Whether its bound is a limit per address or subnet. */
  readonly needsLimits?: boolean;
  /** Whether it belongs to the short form. */
  readonly short: boolean;
  readonly act: (ground: Ground) => Promise<Gain>;
}

/** Thrown by a buyer that could not do what it is there for: it says nothing about the node. */
export class NotJudged extends Error {}

export const NO_PIECE = (): number => 0;
export const ONE_PIECE = (): number => 1;
