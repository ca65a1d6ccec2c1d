/**
 * One connection of one torrent: the extension layer, our own mode, and the machine of that mode. Pure: a step is a
 * function of the state and one event, and its effects are data.
 */

import { decodeMessage, messageNameOfId, type Message } from '@seedfleet/wire';

import { enterBuying, leavePurchase, onBuyerEvent, onBuyerMessage } from '../buyer/buyer.js';
import { payOutstanding } from '../buyer/loading.js';
import type { ChannelEndReason, CloseCode } from '../codes.js';
import type { ConnectionConfig } from '../config.js';
import type { Effect, PeerMode, Step } from '../effects.js';
import type { BuyerEvent, ConnectionEvent, LocalEvent, SellerEvent, TransportEvent } from '../events.js';
import { inSession, newExtension, outboundIds, receiveHandshake } from '../extension/extension.js';
import { inboundLimitBytes } from '../limits.js';
import { Outbox } from '../outbox.js';
import { enterSelling, lapse, onSellerEvent, onSellerMessage } from '../seller/seller.js';
import { endChannel } from '../seller/serving.js';
import { isBuyer, isSeller, type ConnectionState } from './state.js';

/** A connection right after the BitTorrent handshake: nothing installed, no mode. */
export function createConnection(config: ConnectionConfig): ConnectionState {
  return {
    config,
    outbox: new Outbox(),
    extension: newExtension(),
    wanted: { kind: 'none' },
    peerMode: { kind: 'none' },
    role: { kind: 'init' },
    invitation: 0,
    speedTested: false,
    hasBought: false,
    askedTestBytes: 0,
  };
}

/**
 * Takes one event. The state is changed in place and returned; effects are to be carried out in order, and events that
 * arise from them must be queued until the step has returned. Nothing happens after a close.
 */
export function stepConnection(conn: ConnectionState, event: ConnectionEvent): Step<ConnectionState, Effect> {
  if (!conn.outbox.closed) dispatch(conn, event);
  return { state: conn, effects: conn.outbox.take() };
}

function dispatch(conn: ConnectionState, event: ConnectionEvent): void {
  switch (event.type) {
    case 'received':
    case 'received-oversized':
    case 'disconnected':
      return onTransport(conn, event);
    case 'start':
    case 'stop':
    case 'observe':
    case 'sell':
    case 'buy':
    case 'close':
      return onLocal(conn, event);
    case 'test-speed':
    case 'invite':
    case 'contract-ready':
    case 'request-piece':
    case 'piece-good':
    case 'piece-bad':
    case 'pay-outstanding':
      return toBuyer(conn, event);
    default:
      return toSeller(conn, event);
  }
}

function toBuyer(conn: ConnectionState, event: BuyerEvent): void {
  if (isBuyer(conn.role)) onBuyerEvent(conn, conn.role, event);
  else conn.outbox.note('event-stale');
}

function toSeller(conn: ConnectionState, event: SellerEvent): void {
  if (isSeller(conn.role)) onSellerEvent(conn, conn.role, event);
  else conn.outbox.note('event-stale');
}

function onTransport(conn: ConnectionState, event: TransportEvent): void {
  switch (event.type) {
    case 'received':
      return event.id === 0 ? onHandshake(conn, event.payload) : onFrame(conn, event.id, event.payload);
    case 'received-oversized':
      // A handshake above 64 KiB is ignored like any other that is no dictionary.
      return event.id === 0 ? conn.outbox.note('handshake-too-large') : fail(conn, 'message-too-large');
    case 'disconnected':
      leaveRole(conn, 'disconnected');
      conn.role = { kind: 'init' };
      return conn.outbox.markClosed();
  }
}

function onHandshake(conn: ConnectionState, body: Uint8Array): void {
  const outcome = receiveHandshake(conn.extension, body);
  switch (outcome.kind) {
    case 'unchanged':
      if (outcome.note !== undefined) conn.outbox.note(outcome.note);
      // The peer's numbers, or its client name, may be news.
      conn.outbox.gate(outboundIds(conn.extension, conn.config.peer));
      return;
    case 'installed':
      return joinSession(conn);
    case 'removed':
      if (outcome.note !== undefined) conn.outbox.note(outcome.note);
      if (conn.extension.ours === 'installed') leaveSession(conn, 'peer-uninstalled');
      return;
    case 'refused':
      return fail(conn, outcome.code);
  }
}

/** Decodes with our own table, which is right for BEP 10 peers and for the reference (hazards H1). */
function onFrame(conn: ConnectionState, id: number, payload: Uint8Array): void {
  const name = messageNameOfId(id);
  if (name === undefined) return onForeignId(conn, id);
  if (!inSession(conn.extension)) {
    if (conn.extension.ours === 'uninstalled') return conn.outbox.note('after-uninstall', name);
    return fail(conn, 'message-outside-session');
  }
  if (payload.byteLength > inboundLimitBytes(conn, id)) return fail(conn, 'message-too-large');
  const decoded = decodeMessage(id, payload, conn.config.ecdsa.isPoint);
  if (!decoded.ok) return fail(conn, decoded.code);
  if (decoded.trailingBytes > 0) conn.outbox.note('trailing-bytes', name);
  onMessage(conn, decoded.message);
}

/** Ids of stock extensions: ut_pex, ut_metadata, upload_only, ut_holepunch, lt_donthave, share_mode (wire protocol §2). */
const STOCK_IDS: ReadonlySet<number> = new Set([1, 2, 3, 4, 7, 8]);

function onForeignId(conn: ConnectionState, id: number): void {
  const { peerIds } = conn.extension;
  const isPeersOwn = peerIds !== undefined && Object.values(peerIds).includes(id);
  if (STOCK_IDS.has(id) || isPeersOwn) conn.outbox.note('foreign-id');
  else fail(conn, 'unknown-extended-id');
}

function onMessage(conn: ConnectionState, message: Message): void {
  const { role } = conn;
  const mode = modeOf(message);
  if (mode !== undefined) {
    const previous = conn.peerMode;
    conn.peerMode = mode;
    conn.outbox.emit({ type: 'peer-mode', mode, previous });
  }
  if (isSeller(role)) onSellerMessage(conn, role, message);
  else if (isBuyer(role)) onBuyerMessage(conn, role, message);
  else if (mode === undefined) conn.outbox.note('message-ignored', message.type);
}

function modeOf(message: Message): PeerMode | undefined {
  switch (message.type) {
    case 'observe':
      return { kind: 'observe' };
    case 'buy':
      return { kind: 'buy', terms: message.terms };
    case 'sell':
      return { kind: 'sell', terms: message.terms, index: message.index };
    default:
      return undefined;
  }
}

function onLocal(conn: ConnectionState, event: LocalEvent): void {
  switch (event.type) {
    case 'start':
      return start(conn);
    case 'stop':
      return stop(conn);
    case 'observe':
    case 'sell':
      if (conn.wanted.kind === event.type) return conn.outbox.note('event-stale');
      conn.wanted = { kind: event.type };
      return changeMode(conn);
    case 'buy':
      conn.wanted = { kind: 'buy', terms: event.terms };
      return changeMode(conn);
    case 'close':
      leaveRole(conn, event.reason);
      conn.role = { kind: 'init' };
      return conn.outbox.close('local', event.reason);
  }
}

function start(conn: ConnectionState): void {
  if (conn.extension.ours === 'installed') return conn.outbox.note('event-stale');
  conn.extension.ours = 'installed';
  conn.outbox.emit({ type: 'send-handshake', kind: 'install' });
  if (inSession(conn.extension)) joinSession(conn);
}

/** One handshake per install cycle; what is owed is said before it (hazards H2). */
function stop(conn: ConnectionState): void {
  if (conn.extension.ours !== 'installed') return conn.outbox.note('event-stale');
  if (conn.role.kind === 'loading') payOutstanding(conn, conn.role);
  const wasInSession = inSession(conn.extension);
  conn.extension.ours = 'uninstalled';
  if (wasInSession) leaveSession(conn, 'local-uninstalled');
  conn.outbox.emit({ type: 'send-handshake', kind: 'uninstall' });
}

function joinSession(conn: ConnectionState): void {
  if (!inSession(conn.extension)) return;
  conn.outbox.gate(outboundIds(conn.extension, conn.config.peer));
  conn.speedTested = false;
  conn.peerMode = { kind: 'none' };
  conn.outbox.emit({ type: 'session-joined' });
  announceMode(conn);
}

function leaveSession(conn: ConnectionState, reason: ChannelEndReason): void {
  conn.outbox.gate(undefined);
  leaveRole(conn, reason);
  conn.role = { kind: 'init' };
  conn.peerMode = { kind: 'none' };
  conn.outbox.emit({ type: 'session-left' });
}

/** Announces the wanted mode, once the peer is in the session. */
function announceMode(conn: ConnectionState): void {
  switch (conn.wanted.kind) {
    case 'none':
      return;
    case 'observe':
      conn.role = { kind: 'observing' };
      return conn.outbox.send({ type: 'observe' });
    case 'sell':
      return enterSelling(conn);
    case 'buy':
      return enterBuying(conn, conn.wanted.terms);
  }
}

/**
 * Changes mode in the session. A seller in a funded channel can't take up another mode on the same connection, because
 * the buyer's payment counter would go on: it closes (hazards H5). A buyer pays politely first (session behaviour §8).
 */
function changeMode(conn: ConnectionState): void {
  if (!inSession(conn.extension)) return;
  const { role } = conn;
  if (role.kind === 'serving') {
    leaveRole(conn, 'mode-changed');
    return conn.outbox.close('local', 'mode-changed');
  }
  if (role.kind === 'loading') payOutstanding(conn, role);
  leaveRole(conn, 'mode-changed');
  announceMode(conn);
}

/** Reports the end of whatever runs. The caller sets the next role. */
function leaveRole(conn: ConnectionState, reason: ChannelEndReason): void {
  const { role } = conn;
  if (role.kind === 'serving') endChannel(conn, role, reason);
  else if (isSeller(role)) lapse(conn, reason);
  else if (isBuyer(role)) leavePurchase(conn, reason);
}

/** Ends everything and closes: the peer sent what nobody should. */
function fail(conn: ConnectionState, code: CloseCode): void {
  leaveRole(conn, code);
  conn.role = { kind: 'init' };
  conn.outbox.close(code);
}
