/**
 * The buyer's side of one connection (state machine §4). Which seller to test, invite and ask for which piece is decided
 * by the session above.
 */

import { prepareSettlement } from '@seedfleet/payment-channel';
import type { BuyerTerms, Message } from '@seedfleet/wire';

import { channelParameters, paymentLimit } from '../channel.js';
import type { ChannelEndReason } from '../codes.js';
import type { BuyerRole, ConnectionState, JoinedSeller } from '../connection/state.js';
import type { BuyerEvent, BuyerFunding } from '../events.js';
import { onLoadingEvent, onLoadingMessage, endPurchase } from './loading.js';

/** Enters buy mode, or announces revised terms: back to shopping, except that a running speed test goes on. */
export function enterBuying(conn: ConnectionState, terms: BuyerTerms): void {
  if (conn.role.kind !== 'testing') conn.role = { kind: 'shopping' };
  conn.hasBought = true;
  conn.outbox.send({ type: 'buy', terms });
}

/** Reacts to a peer message in any buying state. The peer's mode has been remembered already. */
export function onBuyerMessage(conn: ConnectionState, role: BuyerRole, message: Message): void {
  switch (message.type) {
    case 'observe':
    case 'buy':
    case 'sell':
      return onPeerMode(conn, role);
    case 'speedTestPayload':
      if (role.kind === 'testing') return onSpeedTestPayload(conn, role.sizeBytes, message.data.byteLength);
      break;
    case 'joining_contract':
      if (role.kind === 'asked') return onJoining(conn, { ...message, terms: role.terms });
      break;
    case 'full_piece':
      if (role.kind === 'loading') return onLoadingMessage(conn, role, message.data);
      break;
    default:
  }
  conn.outbox.note('message-ignored', message.type);
}

function onPeerMode(conn: ConnectionState, role: BuyerRole): void {
  const { peerMode, outbox } = conn;
  if (role.kind === 'preparing' || role.kind === 'loading') {
    leavePurchase(conn, 'seller-interrupted');
    conn.role = { kind: 'shopping' };
    return outbox.close('seller-interrupted');
  }
  // A new quote does not disturb a running test (state machine §4), the other modes end it.
  const testGoesOn = role.kind === 'testing' && peerMode.kind === 'sell';
  if (role.kind === 'asked') outbox.emit({ type: 'seller-unjoined' });
  if (!testGoesOn) conn.role = { kind: 'shopping' };
  if (peerMode.kind === 'sell') outbox.emit({ type: 'offer', terms: peerMode.terms, index: peerMode.index });
}

function onSpeedTestPayload(conn: ConnectionState, askedBytes: number, sentBytes: number): void {
  conn.role = { kind: 'shopping' };
  if (sentBytes === askedBytes) conn.outbox.emit({ type: 'speed-tested' });
  else conn.outbox.close('speed-test-size-mismatch');
}

function onJoining(conn: ConnectionState, seller: JoinedSeller): void {
  const joined: JoinedSeller = {
    terms: seller.terms,
    sellerPublicKey: seller.sellerPublicKey.slice(),
    sellerKeyHash: seller.sellerKeyHash.slice(),
  };
  conn.role = { kind: 'preparing', seller: joined };
  conn.outbox.emit({ type: 'seller-joined', ...joined });
}

/** Reacts to the session in any buying state. */
export function onBuyerEvent(conn: ConnectionState, role: BuyerRole, event: BuyerEvent): void {
  const { outbox, peerMode } = conn;
  switch (event.type) {
    case 'test-speed':
      if (role.kind !== 'shopping' || peerMode.kind !== 'sell') break;
      conn.role = { kind: 'testing', sizeBytes: event.sizeBytes };
      conn.askedTestBytes = Math.max(conn.askedTestBytes, event.sizeBytes);
      return outbox.send({ type: 'speedTestRequest', size: event.sizeBytes });
    case 'invite':
      if (role.kind !== 'shopping' || peerMode.kind !== 'sell') break;
      conn.role = { kind: 'asked', terms: peerMode.terms };
      return outbox.send({ type: 'join_contract', index: peerMode.index });
    case 'contract-ready':
      if (role.kind !== 'preparing') break;
      return announceFunding(conn, role.seller, event.funding);
    default:
      if (role.kind === 'loading') return onLoadingEvent(conn, role, event);
  }
  outbox.note('event-stale');
}

function announceFunding(conn: ConnectionState, seller: JoinedSeller, funding: BuyerFunding): void {
  const { terms, sellerPublicKey, sellerKeyHash } = seller;
  const { buyerPublicKey, buyerKeyHash, outpoint, valueSat } = funding;
  const keys = { buyerPublicKey, buyerKeyHash, sellerPublicKey, sellerKeyHash };
  const parameters = channelParameters(conn.config.network, terms, keys, outpoint, valueSat);
  conn.role = {
    kind: 'loading',
    template: prepareSettlement(parameters),
    sign: funding.sign,
    cap: paymentLimit(parameters),
    requested: 0,
    paid: 0,
    open: [],
    unverified: [],
  };
  conn.outbox.send({ type: 'ready', value: valueSat, outpoint, buyerPublicKey, buyerKeyHash });
}

/** Reports the end of a join or purchase; does nothing in other states. The caller sets the next state. */
export function leavePurchase(conn: ConnectionState, reason: ChannelEndReason): void {
  const { role } = conn;
  if (role.kind === 'loading') endPurchase(conn, role, reason);
  else if (role.kind === 'asked' || role.kind === 'preparing') conn.outbox.emit({ type: 'seller-unjoined' });
}
