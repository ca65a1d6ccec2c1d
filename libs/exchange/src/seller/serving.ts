/** A seller with a funded channel: requests, payments, the host's verdicts, and the one end. */

import type { Message } from '@seedfleet/wire';

import type { ChannelEndReason, CloseCode } from '../codes.js';
import type { ConnectionState, ServingRole } from '../connection/state.js';
import type { FundingVerdict, SellerEvent } from '../events.js';
import { acceptRequest, confirmLoaded, confirmStored, discardLoaded, pump } from './delivery.js';
import { receivePayment } from './payments.js';

/** Reacts to a peer message in S.Serving. */
export function onServingMessage(conn: ConnectionState, role: ServingRole, message: Message): void {
  switch (message.type) {
    case 'payment':
      return onPayment(conn, role, message.signature);
    case 'request_full_piece':
      return onRequest(conn, role, message.piece);
    case 'observe':
    case 'buy':
    case 'sell':
      return endAndClose(conn, role, 'buyer-finished');
    default:
      conn.outbox.note('message-ignored', message.type);
  }
}

function onRequest(conn: ConnectionState, role: ServingRole, piece: number): void {
  const { torrent, seller } = conn.config;
  switch (acceptRequest(role.delivery, piece, torrent, seller)) {
    case 'accepted':
      return pump(role.delivery, seller, conn.outbox);
    case 'beyond-cap':
      return conn.outbox.note('request-beyond-cap', 'request_full_piece');
    case 'invalid-piece':
      return endAndClose(conn, role, 'piece-index-invalid');
    case 'queue-full':
      return endAndClose(conn, role, 'request-queue-overflow');
  }
}

/** A good payment is handed out to be stored; only the host's word that it is durable frees the window. */
function onPayment(conn: ConnectionState, role: ServingRole, received: Uint8Array): void {
  const { delivery, template } = role;
  const fault = receivePayment(delivery, template, received, conn.config.ecdsa);
  if (fault !== undefined) return endAndClose(conn, role, fault);
  const signature = received.slice();
  role.signature = signature;
  const paidSat = BigInt(delivery.paid) * template.channel.priceSat;
  conn.outbox.emit({ type: 'store-payment', paymentNumber: delivery.paid, signature, paidSat });
  if (delivery.paid === delivery.cap) endAndClose(conn, role, 'channel-exhausted');
}

/** Reacts to the host in S.Serving. */
export function onServingEvent(conn: ConnectionState, role: ServingRole, event: SellerEvent): void {
  const { delivery } = role;
  switch (event.type) {
    case 'payments-stored':
      confirmStored(delivery, event.paymentNumber);
      break;
    case 'piece-loaded':
      if (!confirmLoaded(delivery, event.entry)) return conn.outbox.note('event-stale');
      break;
    case 'piece-unreadable':
      return endAndClose(conn, role, 'content-unreadable');
    case 'funding-verdict':
      if (event.verdict.kind === 'refuse') return refuseFunding(conn, role, event.verdict);
      delivery.verdict = event.verdict;
      break;
    case 'pause-serving':
      delivery.paused = true;
      return;
    case 'resume-serving':
      delivery.paused = false;
      break;
    case 'end-channel':
      endChannel(conn, role, event.reason);
      return conn.outbox.close('local', event.reason);
    default:
      return conn.outbox.note('event-stale');
  }
  pump(delivery, conn.config.seller, conn.outbox);
}

function refuseFunding(
  conn: ConnectionState,
  role: ServingRole,
  verdict: Extract<FundingVerdict, { kind: 'refuse' }>,
): void {
  endChannel(conn, role, 'funding-refused');
  conn.outbox.close('funding-refused', verdict.reason);
}

function endAndClose(conn: ConnectionState, role: ServingRole, code: CloseCode): void {
  endChannel(conn, role, code);
  conn.outbox.close(code);
}

/**
 * Ends the channel. It happens once: the role is gone afterwards (hazards H27). The caller closes or uninstalls, because
 * the buyer's counters live as long as the installed connection (hazards H5).
 */
export function endChannel(conn: ConnectionState, role: ServingRole, reason: ChannelEndReason): void {
  const { delivery, signature } = role;
  discardLoaded(delivery, conn.outbox);
  conn.role = { kind: 'init' };
  conn.outbox.emit({
    type: 'channel-ended',
    invitation: conn.invitation,
    reason,
    finalPayment: delivery.paid,
    ...(signature === undefined ? {} : { signature }),
    requested: delivery.requested,
    delivered: delivery.delivered,
    deliveredBytes: delivery.deliveredBytes,
  });
}
