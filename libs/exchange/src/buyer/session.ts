/**
 * The buyer's session (session behaviour §7, §8): n sellers in one contract, pieces assigned and reassigned, each good
 * piece paid before the next is asked for.
 */

import type { Step } from '../effects.js';
import { inboundLimitBytes, MAX_CONTROL_PAYLOAD_BYTES } from '../limits.js';
import {
  abandonContract,
  abandonIfSellerLeft,
  chooseSellers,
  onBroadcast,
  onPrepared,
  onRefundsStored,
  resumeInviting,
} from './contract.js';
import { loadingLinks, openLink, stepLink } from './links.js';
import { hasUnassigned, markThere, newPieceLedger, prefer, putBack, release, setAside } from './piece-ledger.js';
import { assignPieces } from './assignment.js';
import type { BuyerSessionState } from './session-state.js';
import type { BuyerSessionConfig, BuyerSessionEffect, BuyerSessionEvent, ConnectionId } from './session-types.js';

/** A session without connections, looking for sellers. */
export function createBuyerSession(config: BuyerSessionConfig): BuyerSessionState {
  const ledger = newPieceLedger(config.torrent, config.have ?? []);
  return {
    config,
    links: new Map(),
    ledger,
    terms: config.terms,
    phase: ledger.wanting === 0 ? 'complete' : 'inviting',
    mode: 'buy',
    contract: 0,
    chosen: [],
    fundings: [],
    nowMs: 0,
    effects: [],
  };
}

/**
 * Takes one event. The state is changed in place and returned; effects are to be carried out in order, and events that
 * arise from them must be queued until the step has returned.
 */
export function stepBuyerSession(
  session: BuyerSessionState,
  event: BuyerSessionEvent,
): Step<BuyerSessionState, BuyerSessionEffect> {
  dispatch(session, event);
  abandonIfSellerLeft(session);
  proceed(session);
  const { effects } = session;
  session.effects = [];
  return { state: session, effects };
}

/** `inboundLimitBytes` for one of the session's connections. */
export function sessionInboundLimitBytes(session: BuyerSessionState, connection: ConnectionId, id: number): number {
  const link = session.links.get(connection);
  return link === undefined ? MAX_CONTROL_PAYLOAD_BYTES : inboundLimitBytes(link.conn, id);
}

function dispatch(session: BuyerSessionState, event: BuyerSessionEvent): void {
  switch (event.type) {
    case 'connected':
      return openLink(session, event.connection, event.peer);
    case 'transport': {
      const link = session.links.get(event.connection);
      session.nowMs = event.atMs;
      if (link) stepLink(session, link, event.event);
      return;
    }
    case 'tick':
      session.nowMs = event.atMs;
      return;
    case 'choose':
      return chooseSellers(session);
    case 'contract-prepared':
      if (session.phase === 'preparing' && event.contract === session.contract) onPrepared(session, event.fundings);
      return;
    case 'refunds-stored':
      if (session.phase === 'storing-refunds' && event.contract === session.contract) onRefundsStored(session);
      return;
    case 'contract-broadcast':
      if (session.phase === 'broadcasting' && event.contract === session.contract) onBroadcast(session);
      return;
    case 'contract-failed':
      if (isContracting(session) && event.contract === session.contract) resumeInviting(session);
      return;
    case 'piece-verdict':
      return onVerdict(session, event.connection, event.piece, event.good);
    case 'piece-obtained':
      return markThere(session.ledger, event.piece);
    case 'set-aside':
      return setAside(session.ledger, event.piece);
    case 'put-back':
      return putBack(session.ledger, event.piece);
    case 'prefer':
      return prefer(session.ledger, event.pieces);
    case 'revise-terms':
      return reviseTerms(session, event.terms);
    case 'drop-seller': {
      const link = session.links.get(event.connection);
      if (link) stepLink(session, link, { type: 'close', reason: event.reason });
      return;
    }
    case 'observe':
      return observe(session);
    case 'finish':
      return finish(session, event);
  }
}

function isContracting(session: BuyerSessionState): boolean {
  return ['preparing', 'storing-refunds', 'broadcasting'].includes(session.phase);
}

/** A verdict counts for the piece even if its seller is gone; it is paid only over a connection that still stands. */
function onVerdict(session: BuyerSessionState, connection: ConnectionId, piece: number, good: boolean): void {
  const link = session.links.get(connection);
  if (link) stepLink(session, link, { type: good ? 'piece-good' : 'piece-bad', piece });
  if (good) markThere(session.ledger, piece);
  else release(session.ledger, piece);
}

/** What follows from any step: new requests, completion, or starting over. */
function proceed(session: BuyerSessionState): void {
  if (session.phase === 'complete' || session.phase === 'finished') return;
  if (session.ledger.wanting === 0) return complete(session);
  if (session.phase !== 'downloading') return;
  assignPieces(session);
  closeExhausted(session);
  if (loadingLinks(session).length > 0) return;
  session.effects.push({ type: 'all-sellers-gone', missing: session.ledger.wanting });
  resumeInviting(session);
}

/** A channel that can carry no further payment is of no use while pieces are missing. */
function closeExhausted(session: BuyerSessionState): void {
  if (!hasUnassigned(session.ledger)) return;
  for (const link of loadingLinks(session)) {
    const { role } = link.conn;
    if (role.kind !== 'loading' || role.requested < role.cap) continue;
    if (role.open.length + role.unverified.length === 0) stepLink(session, link, { type: 'close', reason: 'capacity' });
  }
}

/** All there: pays for what was asked for and not yet delivered, and waits for the host (session behaviour §8). */
function complete(session: BuyerSessionState): void {
  if (session.phase === 'preparing' || session.phase === 'storing-refunds') {
    session.effects.push({ type: 'abandon-contract', contract: session.contract });
  }
  session.phase = 'complete';
  payOutstanding(session);
  session.effects.push({ type: 'complete' });
}

function payOutstanding(session: BuyerSessionState): void {
  for (const link of loadingLinks(session)) stepLink(session, link, { type: 'pay-outstanding' });
}

/** New terms go to everybody, except to sellers whose funding is on its way. */
function reviseTerms(session: BuyerSessionState, terms: BuyerSessionConfig['terms']): void {
  if (session.mode !== 'buy') return;
  session.terms = terms;
  const committed = session.phase === 'broadcasting' ? session.chosen.map(({ connection }) => connection) : [];
  if (session.phase === 'preparing' || session.phase === 'storing-refunds') abandonContract(session);
  for (const link of [...session.links.values()]) {
    if (!committed.includes(link.id)) stepLink(session, link, { type: 'buy', terms });
  }
  if (session.phase === 'inviting') resumeInviting(session);
}

function observe(session: BuyerSessionState): void {
  endBuying(session);
  for (const link of [...session.links.values()]) stepLink(session, link, { type: 'observe' });
}

function finish(session: BuyerSessionState, event: Extract<BuyerSessionEvent, { type: 'finish' }>): void {
  endBuying(session);
  payOutstanding(session);
  for (const link of [...session.links.values()]) stepLink(session, link, { type: 'close', reason: event.reason });
}

function endBuying(session: BuyerSessionState): void {
  session.mode = 'observe';
  if (session.phase === 'preparing' || session.phase === 'storing-refunds') {
    session.effects.push({ type: 'abandon-contract', contract: session.contract });
  }
  if (session.phase !== 'complete') session.phase = 'finished';
}
