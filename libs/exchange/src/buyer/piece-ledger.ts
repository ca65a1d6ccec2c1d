/** Which pieces are missing, assigned to a seller, being verified, set aside by the host, or there; and which to ask for next. */

import { isPiece } from '../pieces.js';
import type { TorrentShape } from '../config.js';
import { MAX_PREFERRED } from './session-types.js';

const MISSING = 0;
const ASSIGNED = 1;
const VERIFYING = 2;
const HAVE = 3;
const ASIDE = 4;

export interface PieceLedger {
  readonly torrent: TorrentShape;
  readonly stages: Uint8Array;
  /** No piece below this index is missing. */
  lowestMissing: number;
  /** Pieces to ask for before all others. */
  preferred: readonly number[];
  /** Pieces neither there nor on their way. */
  unassigned: number;
  /** Pieces not there yet, whatever their stage. */
  wanting: number;
}

export function newPieceLedger(torrent: TorrentShape, have: Iterable<number>): PieceLedger {
  const ledger: PieceLedger = {
    torrent,
    stages: new Uint8Array(torrent.pieces),
    lowestMissing: 0,
    preferred: [],
    unassigned: torrent.pieces,
    wanting: torrent.pieces,
  };
  for (const piece of have) markThere(ledger, piece);
  return ledger;
}

/** Takes the next piece to ask for: the preferred ones first, then the lowest index. Undefined when none is missing. */
export function assignNext(ledger: PieceLedger): number | undefined {
  const piece = nextPreferred(ledger) ?? nextLowest(ledger);
  if (piece === undefined) return undefined;
  ledger.stages[piece] = ASSIGNED;
  ledger.unassigned -= 1;
  return piece;
}

function nextPreferred(ledger: PieceLedger): number | undefined {
  return ledger.preferred.find((piece) => ledger.stages[piece] === MISSING);
}

function nextLowest(ledger: PieceLedger): number | undefined {
  while (ledger.lowestMissing < ledger.torrent.pieces && ledger.stages[ledger.lowestMissing] !== MISSING) {
    ledger.lowestMissing += 1;
  }
  return ledger.lowestMissing < ledger.torrent.pieces ? ledger.lowestMissing : undefined;
}

/** Whether a piece is neither there nor on its way. */
export function isMissing(ledger: PieceLedger, piece: number): boolean {
  return ledger.stages[piece] === MISSING;
}

/** The host gets the piece elsewhere: no seller is asked for it until it is released. Only what is missing can be set aside. */
export function setAside(ledger: PieceLedger, piece: number): void {
  if (!isPiece(ledger.torrent, piece) || !isMissing(ledger, piece)) return;
  ledger.stages[piece] = ASIDE;
  ledger.unassigned -= 1;
}

/** The host does not get it elsewhere after all. */
export function putBack(ledger: PieceLedger, piece: number): void {
  if (ledger.stages[piece] !== ASIDE) return;
  ledger.stages[piece] = MISSING;
  ledger.unassigned += 1;
  ledger.lowestMissing = Math.min(ledger.lowestMissing, piece);
}

/** Whether a piece could be assigned now. */
export function hasUnassigned(ledger: PieceLedger): boolean {
  return ledger.unassigned > 0;
}

/** The piece arrived and is being hashed. */
export function markVerifying(ledger: PieceLedger, piece: number): void {
  if (ledger.stages[piece] === ASSIGNED) ledger.stages[piece] = VERIFYING;
}

/** The piece is there and good. */
export function markThere(ledger: PieceLedger, piece: number): void {
  if (!isPiece(ledger.torrent, piece) || ledger.stages[piece] === HAVE) return;
  if (isMissing(ledger, piece)) ledger.unassigned -= 1;
  ledger.stages[piece] = HAVE;
  ledger.wanting -= 1;
}

/** The piece will not come from the seller it was assigned to. */
export function release(ledger: PieceLedger, piece: number): void {
  if (ledger.stages[piece] !== ASSIGNED && ledger.stages[piece] !== VERIFYING) return;
  ledger.stages[piece] = MISSING;
  ledger.unassigned += 1;
  ledger.lowestMissing = Math.min(ledger.lowestMissing, piece);
}

/** Replaces the preferred pieces; what lies beyond the bound is left to the usual order. */
export function prefer(ledger: PieceLedger, pieces: readonly number[]): void {
  ledger.preferred = pieces.slice(0, MAX_PREFERRED).filter((piece) => isPiece(ledger.torrent, piece));
}
