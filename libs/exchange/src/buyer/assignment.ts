/** Which seller is asked for the next piece: the one that is expected to have delivered it first. */

import { loadingLinks, stepLink } from './links.js';
import { assignNext } from './piece-ledger.js';
import type { BuyerSessionState, Link } from './session-state.js';

/**
 * Requests from every seller with room. Nobody's speed is known before the first piece, so at first they are asked in
 * turn; then by the time at which each would have delivered. Toward the end a slow seller is passed over for pieces
 * that a faster one, though it has no room just now, would deliver sooner: the last pieces do not wait for the slowest.
 */
export function assignPieces(session: BuyerSessionState): void {
  for (;;) {
    const sellers = loadingLinks(session);
    const next = sellers
      .filter((link) => hasRoom(session, link))
      .sort((a, b) => readyMs(session, a, 1) - readyMs(session, b, 1) || owed(a) - owed(b))[0];
    if (next === undefined) return;
    if (isBetterLeft(session, next, sellers)) return;
    const piece = assignNext(session.ledger);
    if (piece === undefined) return;
    next.owedSinceMs ??= session.nowMs;
    stepLink(session, next, { type: 'request-piece', piece });
  }
}

function hasRoom(session: BuyerSessionState, link: Link): boolean {
  return paymentsLeft(link) > 0 && owed(link) < session.config.maxOpenRequests;
}

function owed({ conn: { role } }: Link): number {
  return role.kind === 'loading' ? role.open.length + role.unverified.length : 0;
}

/**
 * When so many further pieces would be there. A piece that is overdue counts with the time waited for it; an unmeasured
 * seller is taken for fast, so that it gets its first.
 */
function readyMs(session: BuyerSessionState, link: Link, further: number): number {
  const { pieceMs, owedSinceMs } = link;
  if (pieceMs === undefined) return 0;
  const waitedMs = owedSinceMs === undefined ? 0 : session.nowMs - owedSinceMs;
  return (owed(link) + further) * Math.max(pieceMs, waitedMs);
}

/** Whether a busy seller would have delivered all that is missing before this one delivered a single piece. */
function isBetterLeft(session: BuyerSessionState, link: Link, sellers: readonly Link[]): boolean {
  const { unassigned } = session.ledger;
  const oneMs = readyMs(session, link, 1);
  return sellers.some((other) => {
    if (other === link || other.pieceMs === undefined || owed(other) === 0) return false;
    return paymentsLeft(other) >= unassigned && readyMs(session, other, unassigned) < oneMs;
  });
}

function paymentsLeft({ conn: { role } }: Link): number {
  return role.kind === 'loading' ? role.cap - role.requested : 0;
}
