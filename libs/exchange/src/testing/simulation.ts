/**
 * A whole download in memory: one buyer session and any number of seller connections, with the two hosts' work (disk,
 * storage, chain) and the wire as queues from which a seeded schedule takes. Connections can be cut at any moment.
 */

import { encodeExtendedHandshake, encodePayload, type Message } from '@seedfleet/wire';

import { createBuyerSession, stepBuyerSession } from '../buyer/session.js';
import { buyerSessionStatus } from '../buyer/session-status.js';
import type { BuyerSessionEffect, BuyerSessionEvent, ConnectionId } from '../buyer/session-types.js';
import type { SellerLimits, TorrentShape } from '../config.js';
import { createConnection, stepConnection } from '../connection/connection.js';
import type { ConnectionState } from '../connection/state.js';
import { connectionStatus } from '../connection/status.js';
import type { Effect, TransportEffect } from '../effects.js';
import type { ConnectionEvent } from '../events.js';
import { windowPieces } from '../seller/window.js';
import { pieceSizeBytes } from '../pieces.js';
import { BUYER_TERMS, connectionConfig, ecdsa, party, SELLER_TERMS, STRICT_PEER } from './parties.js';

interface Frame {
  readonly id: number;
  readonly payload: Uint8Array;
}

/** What one channel came to on the seller's side. */
export interface Sale {
  readonly connection: ConnectionId;
  readonly finalPayment: number;
  readonly delivered: number;
  readonly requested: number;
  /** Numbers of the payments handed out to be stored, in order. */
  readonly stored: readonly number[];
}

interface SellerSide {
  readonly id: ConnectionId;
  conn: ConnectionState;
  readonly toBuyer: Frame[];
  readonly toSeller: Frame[];
  readonly tasks: (() => void)[];
  /** Payments handed out to be stored on the running channel. */
  stored: number[];
  /** Uninstalled, to be installed again. */
  returning: boolean;
  open: boolean;
}

export interface SimulationOptions {
  readonly torrent: TorrentShape;
  readonly limits: Partial<SellerLimits>;
  readonly sellers: number;
  /** Pieces' worth that each funding output carries. */
  readonly fundedPieces: number;
  readonly speedTestBytes: number | undefined;
  /** Whether the buyer's hash check fails for this delivery, counted over the whole run. */
  readonly corrupt?: (delivery: number) => boolean;
}

export class Simulation {
  readonly sales: Sale[] = [];
  readonly purchases: { readonly connection: ConnectionId; readonly payments: number }[] = [];
  goodPieces = 0;
  obtained = 0;
  completed = false;
  private session;
  private readonly sides = new Map<ConnectionId, SellerSide>();
  private readonly buyerTasks: (() => void)[] = [];
  private nextId = 1;
  private deliveries = 0;
  private nowMs = 0;
  private refundsStored = false;

  constructor(private readonly options: SimulationOptions) {
    this.session = createBuyerSession({
      network: 'regtest',
      torrent: options.torrent,
      ecdsa,
      terms: BUYER_TERMS,
      sellers: options.sellers,
      speedTestBytes: options.speedTestBytes,
      maxOpenRequests: 4,
    });
    for (let i = 0; i < options.sellers; i += 1) this.connect();
  }

  get phase(): string {
    return buyerSessionStatus(this.session).phase;
  }

  get openConnections(): ConnectionId[] {
    return [...this.sides.values()].filter((side) => side.open).map((side) => side.id);
  }

  /** A fresh connection between the buyer and a new seller. */
  connect(): void {
    const id = this.nextId++;
    const conn = createConnection(connectionConfig(this.options.limits, this.options.torrent));
    this.sides.set(id, { id, conn, toBuyer: [], toSeller: [], tasks: [], stored: [], returning: false, open: true });
    this.buyer({ type: 'connected', connection: id, peer: STRICT_PEER });
    this.seller(id, { type: 'sell' });
    this.seller(id, { type: 'start' });
  }

  /** Cuts a connection: what is under way is lost, both sides are told. */
  cut(id: ConnectionId): void {
    const side = this.sides.get(id);
    if (!side?.open) return;
    side.open = false;
    side.toBuyer.length = 0;
    side.toSeller.length = 0;
    side.tasks.length = 0;
    this.seller(id, { type: 'disconnected' });
    this.buyer({ type: 'transport', connection: id, event: { type: 'disconnected' }, atMs: this.nowMs });
  }

  /** The seller leaves the paid session, and comes back on the same connection once all that was under way has arrived. */
  reinstall(id: ConnectionId): void {
    this.seller(id, { type: 'stop' });
    this.sides.get(id)!.returning = true;
  }

  /** The buyer gets a piece for free. */
  obtain(piece: number): void {
    this.obtained += 1;
    this.buyer({ type: 'piece-obtained', piece });
  }

  /** Does one piece of pending work, chosen by a number; false when there is none. */
  advance(choice: number): boolean {
    this.nowMs += 1;
    const work: (() => void)[] = [];
    if (this.buyerTasks.length > 0) work.push(() => this.buyerTasks.shift()!());
    for (const side of this.sides.values()) {
      if (side.tasks.length > 0) {
        // Disk and storage answer in any order.
        work.push(() => side.tasks.splice(choice % side.tasks.length, 1)[0]!());
      }
      if (side.returning && side.open && side.toSeller.length + side.toBuyer.length === 0) {
        work.push(() => {
          side.returning = false;
          this.seller(side.id, { type: 'start' });
        });
      }
      if (side.toSeller.length > 0) {
        work.push(() => this.seller(side.id, { type: 'received', ...side.toSeller.shift()! }));
      }
      if (side.toBuyer.length > 0) {
        work.push(() => {
          const event = { type: 'received', ...side.toBuyer.shift()! } as const;
          this.buyer({ type: 'transport', connection: side.id, event, atMs: this.nowMs });
        });
      }
    }
    const chosen = work[choice % work.length];
    if (chosen === undefined) return false;
    chosen();
    return true;
  }

  /** Ends the download as a leecher does. */
  finish(): void {
    this.buyer({ type: 'observe' });
  }

  private seller(id: ConnectionId, event: ConnectionEvent): void {
    const side = this.sides.get(id)!;
    const { state, effects } = stepConnection(side.conn, event);
    side.conn = state;
    for (const effect of effects) this.onSellerEffect(side, effect);
    this.checkWindow(side);
  }

  private checkWindow(side: SellerSide): void {
    const { channel } = connectionStatus(side.conn);
    if (channel === undefined) return;
    const window = windowPieces(side.conn.config.seller.window, channel.stored);
    if (channel.delivered - channel.stored > window) throw new Error('more unpaid pieces than the window');
    if (channel.delivered > channel.cap || channel.paid > channel.cap) throw new Error('past the last payment');
    if (channel.paid > channel.requested) throw new Error('more payments than requests');
    if (channel.stored > channel.paid) throw new Error('stored more than was paid');
  }

  private onSellerEffect(side: SellerSide, effect: Effect): void {
    const later = (event: ConnectionEvent) => side.tasks.push(() => this.seller(side.id, event));
    switch (effect.type) {
      case 'sell-held':
        return void later({ type: 'hold-expired' });
      case 'quote-wanted':
        return void later({ type: 'quote', terms: SELLER_TERMS });
      case 'speed-test-wanted':
        return this.toBuyer(side, effect.id, {
          type: 'speedTestPayload',
          data: new Uint8Array(effect.sizeBytes),
        });
      case 'join-wanted': {
        const { publicKey, keyHash } = party(1000 + side.id);
        const { invitation } = effect;
        return void later({ type: 'join-accepted', invitation, sellerPublicKey: publicKey, sellerKeyHash: keyHash });
      }
      case 'funding-announced':
        return void later({ type: 'funding-verdict', verdict: { kind: 'serve-all' } });
      case 'load-piece':
        return void later({ type: 'piece-loaded', entry: effect.entry });
      case 'deliver-piece':
        return this.toBuyer(side, effect.id, { type: 'full_piece', data: new Uint8Array(effect.sizeBytes) });
      case 'store-payment': {
        side.stored.push(effect.paymentNumber);
        return void later({ type: 'payments-stored', paymentNumber: effect.paymentNumber });
      }
      case 'channel-ended':
        this.sales.push({ connection: side.id, stored: side.stored, ...effect });
        side.stored = [];
        side.tasks.length = 0;
        return;
      default:
        return this.onTransportEffect(side, effect as TransportEffect, side.toBuyer);
    }
  }

  private toBuyer(side: SellerSide, id: number, message: Message): void {
    if (side.open) side.toBuyer.push({ id, payload: encodePayload(message) });
  }

  private onTransportEffect(side: SellerSide, effect: TransportEffect, out: Frame[]): void {
    switch (effect.type) {
      case 'send-handshake':
        if (side.open) out.push({ id: 0, payload: encodeExtendedHandshake({ kind: effect.kind }) });
        return;
      case 'send':
        if (side.open) out.push({ id: effect.id, payload: encodePayload(effect.message) });
        return;
      case 'close':
        // The other side sees what was sent before, then the end.
        if (out === side.toBuyer) while (side.toBuyer.length > 0 && side.open) this.drainToBuyer(side);
        return this.cut(side.id);
      default:
    }
  }

  private drainToBuyer(side: SellerSide): void {
    const event = { type: 'received', ...side.toBuyer.shift()! } as const;
    this.buyer({ type: 'transport', connection: side.id, event, atMs: this.nowMs });
  }

  private buyer(event: BuyerSessionEvent): void {
    const { state, effects } = stepBuyerSession(this.session, event);
    this.session = state;
    for (const effect of effects) this.onBuyerEffect(effect);
  }

  private onBuyerEffect(effect: BuyerSessionEffect): void {
    const later = (event: BuyerSessionEvent) => this.buyerTasks.push(() => this.buyer(event));
    switch (effect.type) {
      case 'connection':
        return this.onTransportEffect(
          this.sides.get(effect.connection)!,
          effect.effect,
          this.sides.get(effect.connection)!.toSeller,
        );
      case 'candidates':
        if (effect.joined >= Math.min(this.options.sellers, this.openConnections.length)) later({ type: 'choose' });
        return;
      case 'prepare-contract': {
        const { contract } = effect;
        const fundings = effect.sellers.map(({ connection, terms }, index) => {
          const { publicKey, keyHash, sign } = party(2000 + connection);
          const outpoint = { txid: new Uint8Array(32).fill(contract), index };
          const valueSat = terms.minPrice * BigInt(this.options.fundedPieces) + 600n;
          return { connection, valueSat, outpoint, buyerPublicKey: publicKey, buyerKeyHash: keyHash, sign };
        });
        this.refundsStored = false;
        return void later({ type: 'contract-prepared', contract, fundings });
      }
      case 'store-refunds':
        this.refundsStored = true;
        return void later({ type: 'refunds-stored', contract: effect.contract });
      case 'broadcast-contract':
        if (!this.refundsStored) throw new Error('broadcast before the refunds were stored');
        return void later({ type: 'contract-broadcast', contract: effect.contract });
      case 'verify-piece': {
        const { connection, piece, data } = effect;
        if (data.byteLength !== pieceSizeBytes(this.options.torrent, piece)) throw new Error('wrong piece size');
        const good = !(this.options.corrupt?.(this.deliveries++) ?? false);
        if (good) this.goodPieces += 1;
        return void later({ type: 'piece-verdict', connection, piece, good });
      }
      case 'purchase-ended':
        return void this.purchases.push(effect);
      case 'complete':
        this.completed = true;
        return;
      default:
    }
  }
}
