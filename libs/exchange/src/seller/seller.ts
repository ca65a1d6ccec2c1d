/**
 * The seller of one connection (state machine §3): announcing terms, speed test, invitation, join. What is not listed
 * for a state is dropped.
 */

import { equalBytes, prepareSettlement, MAX_MONEY_SAT } from '@seedfleet/payment-channel';
import type { BuyerTerms, Message, SellerTerms } from '@seedfleet/wire';

import { channelParameters, paymentLimit } from '../channel.js';
import type { JoinLapseReason } from '../codes.js';
import type { ConnectionState, Quote, SellerRole } from '../connection/state.js';
import type { SellerEvent } from '../events.js';
import { sameSellerTerms, termsFit } from '../terms.js';
import { newDelivery } from './delivery.js';
import { onServingEvent, onServingMessage } from './serving.js';

type JoinedRole = Extract<SellerRole, { kind: 'joined' }>;
type InvitedRole = Extract<SellerRole, { kind: 'invited' }>;

/** Enters sell mode: asks for terms at once, or holds until the peer's `buy` makes it possible to fit them. */
export function enterSelling(conn: ConnectionState): void {
  conn.role = { kind: 'holding' };
  const buyerTerms = announcedBuyerTerms(conn);
  if (conn.config.seller.holdSell && buyerTerms === undefined) conn.outbox.emit({ type: 'sell-held' });
  else askForQuote(conn);
}

function announcedBuyerTerms(conn: ConnectionState): BuyerTerms | undefined {
  return conn.peerMode.kind === 'buy' ? conn.peerMode.terms : undefined;
}

function askForQuote(conn: ConnectionState): void {
  const buyerTerms = announcedBuyerTerms(conn);
  conn.outbox.emit(buyerTerms === undefined ? { type: 'quote-wanted' } : { type: 'quote-wanted', buyerTerms });
}

function announce(conn: ConnectionState, terms: SellerTerms, index: number): void {
  conn.role = { kind: 'selling', quote: { terms, index } };
  conn.outbox.send({ type: 'sell', terms, index });
}

/** Reacts to a peer message in any selling state. The peer's mode has been remembered already. */
export function onSellerMessage(conn: ConnectionState, role: SellerRole, message: Message): void {
  if (role.kind === 'serving') {
    onServingMessage(conn, role, message);
    return;
  }
  switch (message.type) {
    case 'observe':
    case 'buy':
    case 'sell':
      onPeerMode(conn, role);
      return;
    case 'join_contract':
      if (role.kind === 'selling' || role.kind === 'holding') onInvitation(conn, quoteOf(role), message.index);
      else conn.outbox.note('message-ignored', message.type);
      return;
    case 'speedTestRequest':
      if (role.kind === 'selling' || role.kind === 'holding') onSpeedTest(conn, quoteOf(role), message.size);
      else conn.outbox.note('message-ignored', message.type);
      return;
    case 'ready':
      if (role.kind === 'joined') onReady(conn, role, message);
      else conn.outbox.note('message-ignored', message.type);
      return;
    default:
      conn.outbox.note('message-ignored', message.type);
  }
}

function onPeerMode(conn: ConnectionState, role: Exclude<SellerRole, { kind: 'serving' }>): void {
  if (role.kind === 'holding') {
    if (conn.peerMode.kind === 'buy') askForQuote(conn);
    return;
  }
  lapse(conn, 'peer-mode-message');
  conn.role = { kind: 'selling', quote: role.quote };
}

function quoteOf(role: SellerRole): Quote | undefined {
  return role.kind === 'selling' ? role.quote : undefined;
}

function onInvitation(conn: ConnectionState, quote: Quote | undefined, index: number): void {
  const { outbox, peerMode } = conn;
  if (peerMode.kind !== 'buy') return outbox.close('join-from-non-buyer');
  if (quote?.index !== index) return outbox.note('invitation-outdated', 'join_contract');
  if (!termsFit(peerMode.terms, quote.terms)) return outbox.note('invitation-unfit', 'join_contract');
  conn.invitation += 1;
  conn.role = { kind: 'invited', quote };
  outbox.emit({
    type: 'join-wanted',
    invitation: conn.invitation,
    buyerTerms: peerMode.terms,
    sellerTerms: quote.terms,
    index,
  });
}

/** One test per installed session, bounded, and only for a buyer that could buy (hazards H32). */
function onSpeedTest(conn: ConnectionState, quote: Quote | undefined, sizeBytes: number): void {
  const { outbox, peerMode } = conn;
  if (peerMode.kind !== 'buy') return outbox.close('speed-test-from-non-buyer');
  if (conn.speedTested) return outbox.close('speed-test-repeated');
  if (sizeBytes > conn.config.seller.maxSpeedTestBytes) return outbox.close('speed-test-too-large');
  const id = outbox.idOf('speedTestPayload');
  if (quote === undefined || id === undefined || !termsFit(peerMode.terms, quote.terms)) {
    return outbox.note('speed-test-unfit', 'speedTestRequest');
  }
  conn.speedTested = true;
  outbox.emit({ type: 'speed-test-wanted', id, sizeBytes });
}

/** Takes the funding as announced, after the checks that need no chain (payment channel §8.1). */
function onReady(conn: ConnectionState, role: JoinedRole, message: Extract<Message, { type: 'ready' }>): void {
  const { outbox } = conn;
  const refuse = (code: 'funding-value-out-of-range' | 'funding-keys-equal' | 'funding-too-small') => {
    lapse(conn, code);
    outbox.close(code);
  };
  if (message.value === 0n || message.value > MAX_MONEY_SAT) return refuse('funding-value-out-of-range');
  if (equalBytes(message.buyerPublicKey, role.sellerPublicKey)) return refuse('funding-keys-equal');
  const keys = {
    buyerPublicKey: message.buyerPublicKey,
    buyerKeyHash: message.buyerKeyHash,
    sellerPublicKey: role.sellerPublicKey,
    sellerKeyHash: role.sellerKeyHash,
  };
  const parameters = channelParameters(conn.config.network, role.quote.terms, keys, message.outpoint, message.value);
  const cap = paymentLimit(parameters);
  if (cap === 0) return refuse('funding-too-small');
  conn.role = {
    kind: 'serving',
    template: prepareSettlement(parameters),
    delivery: newDelivery(cap),
    signature: undefined,
  };
  outbox.emit({ type: 'funding-announced', invitation: conn.invitation, parameters });
}

/** Reacts to the host in any selling state. Answers to questions that lapsed meanwhile are dropped. */
export function onSellerEvent(conn: ConnectionState, role: SellerRole, event: SellerEvent): void {
  if (role.kind === 'serving') return onServingEvent(conn, role, event);
  switch (event.type) {
    case 'hold-expired':
      if (role.kind === 'holding') askForQuote(conn);
      return;
    case 'quote':
      return onQuote(conn, role, event.terms);
    case 'join-accepted':
      if (role.kind === 'invited' && event.invitation === conn.invitation) return join(conn, role, event);
      return conn.outbox.note('event-stale');
    case 'join-refused':
      if (role.kind === 'invited' && event.invitation === conn.invitation) {
        return refuseJoin(conn, role, event.revisedTerms);
      }
      return conn.outbox.note('event-stale');
    case 'end-channel':
      if (role.kind !== 'joined') return conn.outbox.note('event-stale');
      lapse(conn, event.reason);
      return conn.outbox.close('local', event.reason);
    default:
      conn.outbox.note('event-stale');
  }
}

/** New terms reach only peers that have not been joined (hazards H4). */
function onQuote(conn: ConnectionState, role: Exclude<SellerRole, { kind: 'serving' }>, terms: SellerTerms): void {
  if (role.kind === 'joined') return conn.outbox.note('event-stale');
  if (role.kind === 'holding') return announce(conn, terms, 0);
  lapse(conn, 'terms-revised');
  announce(conn, terms, role.quote.index + 1);
}

function join(conn: ConnectionState, role: InvitedRole, event: Extract<SellerEvent, { type: 'join-accepted' }>): void {
  const { sellerPublicKey, sellerKeyHash } = event;
  conn.role = { kind: 'joined', quote: role.quote, sellerPublicKey, sellerKeyHash };
  conn.outbox.send({ type: 'joining_contract', sellerPublicKey, sellerKeyHash });
}

/** The wire has no "no": terms that really changed, or a close, never silence (architecture, step 2). */
function refuseJoin(conn: ConnectionState, role: InvitedRole, revised: SellerTerms | undefined): void {
  if (revised !== undefined && !sameSellerTerms(revised, role.quote.terms)) {
    announce(conn, revised, role.quote.index + 1);
    return;
  }
  conn.role = { kind: 'selling', quote: role.quote };
  conn.outbox.close('join-refused');
}

/** Reports an invitation or join that came to nothing; does nothing in other states. The caller sets the next state. */
export function lapse(conn: ConnectionState, reason: JoinLapseReason): void {
  const { kind } = conn.role;
  if (kind !== 'invited' && kind !== 'joined') return;
  conn.outbox.emit({ type: 'join-lapsed', invitation: conn.invitation, joined: kind === 'joined', reason });
}
