/** Running the session's connection machines: every event to a connection and every effect of one passes here. */

import { createConnection, stepConnection } from '../connection/connection.js';
import { DEFAULT_SELLER_LIMITS, type PeerIdentity } from '../config.js';
import type { BuyerEffect, Effect } from '../effects.js';
import type { ConnectionEvent } from '../events.js';
import { termsFit } from '../terms.js';
import { markVerifying, release } from './piece-ledger.js';
import type { BuyerSessionState, Link } from './session-state.js';
import type { ConnectionId } from './session-types.js';

/** Most connections of one session; further ones are closed. A client keeps about 50. */
export const MAX_LINKS = 256;

/** A new connection: wants the session's mode and installs the extension. */
export function openLink(session: BuyerSessionState, id: ConnectionId, peer: PeerIdentity): void {
  if (session.links.has(id)) throw new Error('a connection was opened twice');
  if (session.links.size >= MAX_LINKS) {
    const effect = { type: 'close', code: 'local', penalise: false, reason: 'capacity' } as const;
    session.effects.push({ type: 'connection', connection: id, effect });
    return;
  }
  const { network, torrent, ecdsa } = session.config;
  const conn = createConnection({ network, torrent, peer, ecdsa, seller: DEFAULT_SELLER_LIMITS });
  const link: Link = {
    id,
    conn,
    testStartedAtMs: undefined,
    tested: false,
    latencyMs: undefined,
    pieceMs: undefined,
    owedSinceMs: undefined,
  };
  session.links.set(id, link);
  stepLink(session, link, session.mode === 'buy' ? { type: 'buy', terms: session.terms } : { type: 'observe' });
  stepLink(session, link, { type: 'start' });
}

/** One step of one connection, with what follows from it for the session. */
export function stepLink(session: BuyerSessionState, link: Link, event: ConnectionEvent): void {
  const { effects } = stepConnection(link.conn, event);
  for (const effect of effects) onEffect(session, link, effect);
  if (link.conn.outbox.closed) session.links.delete(link.id);
}

function onEffect(session: BuyerSessionState, link: Link, effect: Effect): void {
  switch (effect.type) {
    case 'send-handshake':
    case 'send':
    case 'close':
    case 'session-joined':
    case 'session-left':
    case 'peer-mode':
    case 'note':
      session.effects.push({ type: 'connection', connection: link.id, effect });
      if (effect.type === 'session-left') forgetSpeedTest(link);
      return;
    case 'offer':
    case 'speed-tested':
    case 'seller-joined':
    case 'seller-unjoined':
    case 'piece-received':
    case 'payment-sent':
    case 'purchase-ended':
      return onBuyerEffect(session, link, effect);
    default:
      throw new Error(`a buyer's connection wants ${effect.type}`);
  }
}

function onBuyerEffect(session: BuyerSessionState, link: Link, effect: BuyerEffect): void {
  const { effects } = session;
  const connection = link.id;
  switch (effect.type) {
    case 'offer':
      return considerSeller(session, link);
    case 'speed-tested':
      link.tested = true;
      link.latencyMs = session.nowMs - (link.testStartedAtMs ?? session.nowMs);
      return considerSeller(session, link);
    case 'seller-joined':
    case 'seller-unjoined':
      return reportCandidates(session);
    case 'piece-received':
      measurePiece(session, link);
      markVerifying(session.ledger, effect.piece);
      effects.push({ type: 'verify-piece', connection, piece: effect.piece, data: effect.data });
      return;
    case 'payment-sent':
      effects.push({ type: 'paid', connection, paymentNumber: effect.paymentNumber, paidSat: effect.paidSat });
      return;
    case 'purchase-ended':
      for (const piece of effect.unanswered) release(session.ledger, piece);
      effects.push({ type: 'purchase-ended', connection, reason: effect.reason, payments: effect.paid });
  }
}

/** A piece has come: how long it took since it was the next one owed. The newest counts for 30 %. */
function measurePiece(session: BuyerSessionState, link: Link): void {
  const { role } = link.conn;
  if (link.owedSinceMs !== undefined) {
    const tookMs = session.nowMs - link.owedSinceMs;
    link.pieceMs = link.pieceMs === undefined ? tookMs : 0.7 * link.pieceMs + 0.3 * tookMs;
  }
  link.owedSinceMs = role.kind === 'loading' && role.open.length > 0 ? session.nowMs : undefined;
}

function forgetSpeedTest(link: Link): void {
  link.tested = false;
  link.testStartedAtMs = undefined;
  link.latencyMs = undefined;
}

/** Tests or invites a seller whose terms fit, while the session is looking for sellers (session behaviour §7). */
export function considerSeller(session: BuyerSessionState, link: Link): void {
  const { conn } = link;
  if (session.phase !== 'inviting' || conn.role.kind !== 'shopping' || conn.peerMode.kind !== 'sell') return;
  if (!termsFit(session.terms, conn.peerMode.terms)) return;
  const { speedTestBytes } = session.config;
  if (speedTestBytes === undefined || link.tested) return stepLink(session, link, { type: 'invite' });
  // Asked once per installed session: a second test would count as an offence.
  if (link.testStartedAtMs !== undefined) return;
  link.testStartedAtMs = session.nowMs;
  stepLink(session, link, { type: 'test-speed', sizeBytes: speedTestBytes });
}

/** Sellers that have joined and wait for a contract. */
export function joinedLinks(session: BuyerSessionState): Link[] {
  return [...session.links.values()].filter((link) => link.conn.role.kind === 'preparing');
}

/** Sellers with a funded channel. */
export function loadingLinks(session: BuyerSessionState): Link[] {
  return [...session.links.values()].filter((link) => link.conn.role.kind === 'loading');
}

/** Fewest sellers a contract may have. */
export function neededSellers(session: BuyerSessionState): number {
  return Math.max(1, session.terms.minNumberOfSellers);
}

function reportCandidates(session: BuyerSessionState): void {
  if (session.phase !== 'inviting') return;
  const joined = joinedLinks(session).length;
  session.effects.push({ type: 'candidates', joined, enough: joined >= neededSellers(session) });
}
