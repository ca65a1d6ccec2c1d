import {
  buyerSessionStatus,
  sessionInboundLimitBytes,
  type BuyerSessionEffect,
  type BuyerSessionEvent,
  type TransportEffect,
} from '@seedfleet/exchange';
import type { Peer } from '@seedfleet/bittorrent';
import { BuyerError, ExitCode } from '../failure.js';
import { faultPoint } from '../fault-points.js';
import type { PeerAddress } from '../options.js';
import { Choice } from './choice.js';
import { Connections } from './connections.js';
import { carryOutOnPeer, offersText } from './peer-effects.js';
import { PieceMemory } from './piece-memory.js';
import { PieceIntake } from './piece-intake.js';
import { PaymentTotals } from './payments.js';
import { OrdinaryPeers, PEX_ID } from './ordinary-peers.js';
import type { PurchaseOptions, PurchaseResult } from './purchase-types.js';
import { Rate } from './rate.js';
import { Reputation } from './reputation.js';
import { SessionHost } from './session-host.js';
import { SellerSearch } from './seller-search.js';
import { Stalls } from './stalls.js';

/** Contracts in a row that brought not one piece, before the download is given up: each costs two fees. */
const MAX_FRUITLESS_CONTRACTS = 3;

/** Hosts one buyer session: sockets, disk, wallet and clock around the pure machine. */
export class Purchase {
  private readonly host: SessionHost;
  private readonly intake: PieceIntake;
  private readonly reputation = new Reputation();
  private readonly connections: Connections;
  private readonly search: SellerSearch;
  private readonly stalls: Stalls;
  private readonly ordinary: OrdinaryPeers;
  private readonly totals = new PaymentTotals();
  private readonly rate = new Rate();
  private readonly progress = { contracts: 0, boughtAtContract: 0, fruitless: 0 };
  private readonly choice: Choice;
  private timer: NodeJS.Timeout | undefined;
  private settle: { resolve: () => void; reject: (failure: unknown) => void } | undefined;

  constructor(private readonly options: PurchaseOptions) {
    this.host = new SessionHost(
      options.session,
      (effect) => this.carryOut(effect),
      (phase) => {
        // Sellers that had joined before the contract was given up are not announced again.
        if (this.search.follow(phase, performance.now())) this.choice.soon();
      },
    );
    this.choice = new Choice(
      () => (this.session.phase === 'inviting' ? this.joinedSellers() : undefined),
      options.sellers,
      () => this.feed({ type: 'choose' }),
    );
    const { metainfo, sink, reporter } = options;
    const memory = new PieceMemory();
    this.intake = new PieceIntake({
      metainfo,
      sink,
      memory,
      reporter,
      session: () => this.host.state,
      feed: (event) => this.feed(event),
      fail: (failure) => this.settle?.reject(failure),
    });
    this.search = new SellerSearch(options.searchMs);
    this.stalls = new Stalls(options.metainfo.pieceLengthBytes, options.silenceMs);
    this.ordinary = new OrdinaryPeers({
      metainfo: options.metainfo,
      takeFree: options.takeFree,
      allowLocal: options.allowLocal,
      onPeers: (peers) => this.addPeers(peers),
      pieces: {
        next: (peer) => this.intake.setAside((piece) => peer.remoteHas(piece)),
        complete: (piece, data, id) => this.onFreePiece(piece, data, id),
        giveBack: (piece) => this.feed({ type: 'put-back', piece }),
      },
    });
    this.connections = new Connections(
      options.metainfo,
      (connection, id) => this.ordinary.limitBytes(id) ?? sessionInboundLimitBytes(this.session, connection, id),
      this.reputation,
      memory,
      options.encryption,
      { connected: (id, peer) => this.onConnected(id, peer), lost: (id, code) => this.onLost(id, code) },
    );
  }

  /** Buys what is missing. Resolves when everything is there and paid; rejects with a `BuyerError`. */
  async run(): Promise<PurchaseResult> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.settle = { resolve, reject };
        if (this.session.phase === 'complete') return resolve();
        const interrupt = (): void => this.fail(ExitCode.incomplete, 'interrupted', 'interrupted');
        this.options.signal.addEventListener('abort', interrupt);
        if (this.options.signal.aborted) return interrupt();
        this.search.follow(this.session.phase, performance.now());
        this.connections.add(this.options.peers, true);
        this.timer = setInterval(() => this.tick(), 1_000);
      });
    } finally {
      clearInterval(this.timer);
      this.choice.stop();
      // Pays for requests that were answered while stopping, and closes every connection.
      this.feed({ type: 'finish', reason: 'shutdown' });
      await this.connections.close();
    }
    const { bought, free } = this.intake;
    const { contracts } = this.progress;
    return { bought, free, contracts, payments: this.totals.count, paidSat: this.totals.totalSat };
  }

  /** Further addresses, found meanwhile. */
  addPeers(addresses: readonly PeerAddress[]): void {
    this.connections.add(addresses, false);
  }

  /** Pieces that are wanted before all others, most urgent first. */
  prefer(pieces: readonly number[]): void {
    this.feed({ type: 'prefer', pieces });
  }

  private onConnected(id: number, peer: Peer): void {
    const received = (event: Parameters<Purchase['transport']>[1]): void => this.transport(id, event);
    peer.on('extendedHandshake', (body) => received({ type: 'received', id: 0, payload: body }));
    peer.on('extended', (extendedId, payload) => {
      if (extendedId !== PEX_ID) received({ type: 'received', id: extendedId, payload });
    });
    this.ordinary.watch(id, peer);
    this.options.reporter.report({ event: 'seller-connected', seller: this.connections.name(id) });
    this.feed({ type: 'connected', connection: id, peer: { peerId: peer.remotePeerId } });
  }

  private onLost(id: number, code: string): void {
    if (this.connections.isGiven(id) || this.session.links.has(id)) {
      this.options.reporter.report({ event: 'seller-lost', seller: this.connections.name(id), code });
    }
    this.transport(id, { type: 'disconnected' });
  }

  private transport(connection: number, event: Extract<BuyerSessionEvent, { type: 'transport' }>['event']): void {
    this.feed({ type: 'transport', connection, event, atMs: performance.now() });
  }

  private feed(event: BuyerSessionEvent): void {
    this.host.feed(event);
  }

  private get session(): SessionHost['state'] {
    return this.host.state;
  }

  private carryOut(effect: BuyerSessionEffect): void {
    const { contracts, reporter } = this.options;
    switch (effect.type) {
      case 'connection':
        return this.onConnection(effect.connection, effect.effect);
      case 'candidates':
        return this.onCandidates(effect.joined, effect.enough);
      case 'not-enough-sellers':
        return;
      case 'prepare-contract':
        return this.prepareContract(effect);
      case 'store-refunds':
        return this.answer(effect.contract, contracts.store(effect.refunds), () => ({
          type: 'refunds-stored',
          contract: effect.contract,
        }));
      case 'broadcast-contract':
        return this.answer(effect.contract, contracts.broadcast(), () => {
          this.progress.contracts += 1;
          this.progress.boughtAtContract = this.intake.bought;
          return { type: 'contract-broadcast', contract: effect.contract };
        });
      case 'abandon-contract':
        return contracts.abandon();
      case 'verify-piece':
        return this.verify(effect.connection, effect.piece, effect.data);
      case 'paid': {
        const { connection, paidSat, paymentNumber: k } = effect;
        faultPoint('payment.after-send');
        this.totals.paid(connection, paidSat);
        contracts.paid(connection, k);
        const seller = this.connections.name(connection);
        return reporter.report({ event: 'payment', seller, k, paidSat: paidSat.toString() });
      }
      case 'purchase-ended': {
        const { connection, reason, payments } = effect;
        const seller = this.connections.name(connection);
        this.totals.ended(connection);
        this.reputation.purchaseEnded(seller, reason, payments);
        return reporter.report({ event: 'purchase-ended', seller, code: reason, payments });
      }
      case 'all-sellers-gone':
        return this.onSellersGone(effect.missing);
      case 'complete':
        this.settle?.resolve();
    }
  }

  private onConnection(id: number, effect: TransportEffect): void {
    const peer = this.connections.peer(id);
    if (peer === undefined) return;
    if (effect.type === 'close') this.reputation.connectionEnded(this.connections.name(id), effect.code);
    carryOutOnPeer(peer, effect, this.options.userAgent);
  }

  private joinedSellers(): number {
    return buyerSessionStatus(this.session).links.filter(({ role }) => role === 'preparing').length;
  }

  /** Chooses at once when every seller asked has joined, else after a grace for the slower ones. */
  private onCandidates(joined: number, enough: boolean): void {
    if (!enough || this.session.phase !== 'inviting') return;
    if (joined >= this.connections.known) return this.feed({ type: 'choose' });
    this.choice.soon();
  }

  private prepareContract(effect: Extract<BuyerSessionEffect, { type: 'prepare-contract' }>): void {
    const nameOf = (id: number): string => this.connections.name(id);
    for (const { connection, terms, latencyMs } of effect.sellers) {
      const priceSat = terms.minPrice.toString();
      const seller = nameOf(connection);
      this.options.reporter.report({ event: 'seller-joined', seller, priceSat, latencyMs: latencyMs ?? null });
    }
    const { missing } = buyerSessionStatus(this.session);
    const plan = { ...effect, missing, paidSat: this.totals.totalSat, nameOf };
    this.answer(effect.contract, this.options.contracts.prepare(plan), (fundings) => ({
      type: 'contract-prepared',
      contract: effect.contract,
      fundings,
    }));
  }

  /** Feeds the answer of work that takes a while; its failure ends the purchase, unless the contract was given up. */
  private answer<T>(contract: number, work: Promise<T>, event: (result: T) => BuyerSessionEvent): void {
    work.then(
      (result) => this.feed(event(result)),
      (failure: unknown) => {
        const { phase, contract: latest } = this.session;
        if (contract !== latest || phase === 'inviting') return;
        this.feed({ type: 'contract-failed', contract });
        this.settle?.reject(failure);
      },
    );
  }

  private verify(connection: number, piece: number, data: Uint8Array): void {
    this.stalls.pieceArrived(connection, performance.now());
    this.intake.verify(connection, piece, data, this.connections.name(connection));
  }

  /** A peer that gives bad pieces away is as bad as one that sells them. */
  private onFreePiece(piece: number, data: Uint8Array, connection: number): void {
    const peer = this.connections.name(connection);
    if (this.intake.takeFree(piece, data, peer)) return;
    this.reputation.ban(peer, 'piece-invalid');
    this.connections.peer(connection)?.close();
  }

  /** The machine looks for sellers again by itself; whether that is still worth it is decided here. */
  private onSellersGone(missing: number): void {
    const { progress } = this;
    progress.fruitless = this.intake.bought > progress.boughtAtContract ? 0 : progress.fruitless + 1;
    this.options.reporter.report({ event: 'contract-used-up', missing });
    if (progress.fruitless < MAX_FRUITLESS_CONTRACTS) return;
    const message = `${progress.fruitless} contracts in a row brought nothing; ${missing} pieces are missing`;
    this.fail(ExitCode.incomplete, 'sellers-take-deposits', message);
  }

  private tick(): void {
    const nowMs = performance.now();
    this.feed({ type: 'tick', atMs: nowMs });
    this.ordinary.tick(nowMs);
    this.giveUpSearching(nowMs);
    this.reportProgress(nowMs);
    if (this.session.phase === 'downloading') this.dropStalled(nowMs);
  }

  private reportProgress(nowMs: number): void {
    const { pieceCount: pieces, pieceLengthBytes } = this.options.metainfo;
    const { have } = this.intake;
    this.rate.sample(have, nowMs);
    const perSecond = this.rate.perSecond;
    this.options.reporter.report({
      event: 'progress',
      have,
      pieces,
      paidSat: this.totals.totalSat.toString(),
      bytesPerSecond: Math.round(perSecond * pieceLengthBytes),
      secondsLeft: perSecond > 0 ? Math.round((pieces - have) / perSecond) : null,
      connections: this.connections.open,
    });
  }

  private giveUpSearching(nowMs: number): void {
    if (!this.search.isOver(nowMs)) return;
    const { links, missing } = buyerSessionStatus(this.session);
    const seen = offersText(links, (id) => this.connections.name(id));
    if (this.progress.contracts > 0) {
      const message = `every seller is gone, ${missing} pieces are missing (a second run resumes): ${seen}`;
      return this.fail(ExitCode.incomplete, 'all-sellers-gone', message);
    }
    const needed = this.options.session.terms.minNumberOfSellers;
    this.fail(ExitCode.noSeller, 'no-fitting-seller', `fewer than ${needed} fitting sellers joined: ${seen}`);
  }

  /** A seller may well be waiting for the deposit's confirmation; only then is silence no offence. */
  private dropStalled(nowMs: number): void {
    const { links } = buyerSessionStatus(this.session);
    const stalled = this.stalls.check(links, (id) => this.connections.peer(id)?.receivedBytes ?? 0, nowMs);
    if (stalled.length === 0) return;
    const waiting = this.options.contracts.awaitsConfirmation().catch(() => true);
    void waiting.then((waits) => {
      if (waits) return;
      for (const connection of stalled) this.feed({ type: 'drop-seller', connection, reason: 'seller-timeout' });
    });
  }

  private fail(exitCode: ExitCode, code: string, message: string): void {
    this.settle?.reject(new BuyerError(exitCode, code, message));
  }
}
