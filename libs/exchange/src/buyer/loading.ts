/** A buyer with a funded channel: requests, pieces, hash verdicts and payments (state machine §4, B.Loading). */

import type { ChannelEndReason } from '../codes.js';
import type { ConnectionState, LoadingRole } from '../connection/state.js';
import type { BuyerEvent } from '../events.js';
import { isPiece } from '../pieces.js';

/** A piece answers the oldest open request; one more than asked for closes. */
export function onLoadingMessage(conn: ConnectionState, role: LoadingRole, data: Uint8Array): void {
  const request = role.open.shift();
  if (request === undefined) {
    endPurchase(conn, role, 'piece-overflow');
    conn.role = { kind: 'shopping' };
    return conn.outbox.close('piece-overflow');
  }
  role.unverified.push(request);
  conn.outbox.emit({ type: 'piece-received', piece: request.piece, data });
}

/** Reacts to the session while loading. */
export function onLoadingEvent(conn: ConnectionState, role: LoadingRole, event: BuyerEvent): void {
  switch (event.type) {
    case 'request-piece':
      return requestPiece(conn, role, event.piece);
    case 'piece-good':
      return onGoodPiece(conn, role, event.piece);
    case 'piece-bad':
      return onBadPiece(conn, role, event.piece);
    case 'pay-outstanding':
      return payOutstanding(conn, role);
    default:
      conn.outbox.note('event-stale');
  }
}

/** Requests so many that can be paid and settled, no more: a seller ignores what lies beyond (hazards H22). */
function requestPiece(conn: ConnectionState, role: LoadingRole, piece: number): void {
  if (role.requested >= role.cap || !isPiece(conn.config.torrent, piece)) return conn.outbox.note('event-stale');
  role.requested += 1;
  role.open.push({ piece, prepaid: false });
  conn.outbox.send({ type: 'request_full_piece', piece });
}

function onGoodPiece(conn: ConnectionState, role: LoadingRole, piece: number): void {
  const verified = takeUnverified(role, piece);
  if (verified === undefined) return conn.outbox.note('event-stale');
  if (!verified.prepaid) pay(conn, role);
}

function onBadPiece(conn: ConnectionState, role: LoadingRole, piece: number): void {
  if (takeUnverified(role, piece) === undefined) return conn.outbox.note('event-stale');
  endPurchase(conn, role, 'piece-invalid');
  conn.role = { kind: 'shopping' };
  conn.outbox.close('piece-invalid');
}

function takeUnverified(role: LoadingRole, piece: number) {
  const position = role.unverified.findIndex((candidate) => candidate.piece === piece);
  return position < 0 ? undefined : role.unverified.splice(position, 1)[0];
}

/** Polite compensation: pays for what was asked for and is on its way (session behaviour §8). */
export function payOutstanding(conn: ConnectionState, role: LoadingRole): void {
  for (const request of role.open) {
    if (request.prepaid) continue;
    request.prepaid = true;
    pay(conn, role);
  }
}

/**
 * Signs and sends the next payment. Each payment answers one request and `requested` never exceeds `cap`, so k·P stays
 * within the funding; the check stands guard over money all the same.
 */
function pay(conn: ConnectionState, role: LoadingRole): void {
  const number = role.paid + 1;
  if (number > role.requested || number > role.cap) throw new Error('a payment without a request');
  if (conn.outbox.idOf('payment') === undefined) return;
  role.paid = number;
  conn.outbox.send({ type: 'payment', signature: role.sign(role.template.digest(number)) });
  const paidSat = BigInt(number) * role.template.channel.priceSat;
  conn.outbox.emit({ type: 'payment-sent', paymentNumber: number, paidSat });
}

/** Reports the end of the purchase. The caller sets the next state, so that it happens once. */
export function endPurchase(conn: ConnectionState, role: LoadingRole, reason: ChannelEndReason): void {
  conn.outbox.emit({
    type: 'purchase-ended',
    reason,
    paid: role.paid,
    unanswered: role.open.map((request) => request.piece),
  });
}
