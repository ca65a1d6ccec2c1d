import { connectionStatus, type ConnectionStatus } from '../connection/status.js';
import { isMissing } from './piece-ledger.js';
import type { BuyerSessionState } from './session-state.js';
import type { BuyerPhase, ConnectionId } from './session-types.js';

/** The session as a user interface shows it. */
export interface BuyerSessionStatus {
  readonly phase: BuyerPhase;
  /** Pieces not there yet. */
  readonly missing: number;
  readonly links: readonly LinkStatus[];
}

export interface LinkStatus extends ConnectionStatus {
  readonly connection: ConnectionId;
  readonly latencyMs: number | undefined;
  /** Smoothed time per piece, ms; undefined before the first. */
  readonly pieceMs: number | undefined;
  /** Requests unanswered, of a funded channel. */
  readonly open: number;
  /** Payments sent, of a funded channel. */
  readonly paid: number;
}

export function buyerSessionStatus(session: BuyerSessionState): BuyerSessionStatus {
  const links = [...session.links.values()].map(({ id, conn, latencyMs, pieceMs }): LinkStatus => {
    const { role } = conn;
    return {
      ...connectionStatus(conn),
      connection: id,
      latencyMs,
      pieceMs,
      open: role.kind === 'loading' ? role.open.length : 0,
      paid: role.kind === 'loading' ? role.paid : 0,
    };
  });
  return { phase: session.phase, missing: session.ledger.wanting, links };
}

/** Whether a piece is neither there nor on its way from anywhere. */
export function isPieceMissing(session: BuyerSessionState, piece: number): boolean {
  return isMissing(session.ledger, piece);
}
