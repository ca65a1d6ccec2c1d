import {
  buyerSessionStatus,
  createBuyerSession,
  sessionInboundLimitBytes,
  stepBuyerSession,
  type BuyerSessionConfig,
  type BuyerSessionEffect,
  type BuyerSessionEvent,
  type BuyerSessionState,
  type ChosenSeller,
  type RefundData,
  type SessionFunding,
  type TransportEffect,
} from '@seedfleet/exchange';
import { encodeExtendedHandshake, encodePayload } from '@seedfleet/wire';
import type { Metainfo, Peer } from '@seedfleet/bittorrent';
import type { PeerAddress } from '../options.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { Reporter } from '../events.js';
import { Connections } from './connections.js';
import type { PieceSink } from './piece-sink.js';
import { SellerSearch } from './seller-search.js';

/** What the purchase needs of the wallet: coins, keys and durable records. Each rejects with a `BuyerError`. */
export interface ContractMaker {
  /** Builds and signs a funding transaction with one output per seller in this order; broadcasts nothing. */
  prepare(
    sellers: readonly ChosenSeller[],
    feeSatPerKb: bigint,
    nameOf: (id: number) => string,
  ): Promise<SessionFunding[]>;
  /** Makes durable what a refund needs, the transaction itself included. */
  store(refunds: readonly RefundData[]): Promise<void>;
  /** Hands the transaction to the node. */
  broadcast(): Promise<void>;
  /** Forgets a prepared transaction that was never broadcast. */
  abandon(): void;
  /** Writes down the newest payment of an output, so that a later refund knows what is at stake. */
  paid(connection: number, payments: number): void;
  readonly fundingTxid: string | undefined;
}

export interface PurchaseOptions {
  readonly metainfo: Metainfo;
  readonly session: BuyerSessionConfig;
  readonly peers: readonly PeerAddress[];
  readonly sink: PieceSink;
  readonly contracts: ContractMaker;
  readonly reporter: Reporter;
  readonly userAgent: string;
  /** Gives the purchase up politely. */
  readonly signal: AbortSignal;
}

export interface PurchaseResult {
  readonly bought: number;
  readonly payments: number;
  readonly paidSat: bigint;
}

/** Once enough have joined, how long the others may take: the fastest are picked, so late answers lose anyhow. */
const CHOICE_GRACE_MS = 3_000;
/** A seller that owes a piece and sends nothing for so long is dropped (the wire has no timeout of its own). */
const STALL_MS = 120_000;

/** Hosts one buyer session: sockets, disk, wallet and clock around the pure machine. */
export class Purchase {
  private session: BuyerSessionState;
  private readonly connections: Connections;
  private readonly search = new SellerSearch();
  private readonly queue: BuyerSessionEvent[] = [];
  private stepping = false;
  private readonly progress = { bought: 0, payments: 0, paidSat: new Map<number, bigint>(), have: 0 };
  private readonly lastPieceMs = new Map<number, number>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private choiceTimer: NodeJS.Timeout | undefined;
  private settle: { resolve: () => void; reject: (failure: unknown) => void } | undefined;

  constructor(private readonly options: PurchaseOptions) {
    this.session = createBuyerSession(options.session);
    this.progress.have = options.sink.had.length;
    this.connections = new Connections(
      options.metainfo,
      (connection, id) => sessionInboundLimitBytes(this.session, connection, id),
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
        this.connections.open(this.options.peers);
        this.search.follow(this.session.phase, performance.now());
        this.every(1_000, () => {
          this.giveUpSearching();
          this.dropStalled();
        });
      });
    } finally {
      this.timers.forEach(clearInterval);
      // Pays for requests that were answered while stopping, and closes every connection.
      this.feed({ type: 'finish', reason: 'shutdown' });
      await this.connections.close();
    }
    const paidSat = [...this.progress.paidSat.values()].reduce((sum, paid) => sum + paid, 0n);
    return { bought: this.progress.bought, payments: this.progress.payments, paidSat };
  }

  private onConnected(id: number, peer: Peer): void {
    const received = (event: Parameters<Purchase['transport']>[1]): void => this.transport(id, event);
    peer.on('extendedHandshake', (body) => received({ type: 'received', id: 0, payload: body }));
    peer.on('extended', (extendedId, payload) => received({ type: 'received', id: extendedId, payload }));
    this.options.reporter.report({ event: 'seller-connected', seller: this.connections.name(id) });
    this.feed({ type: 'connected', connection: id, peer: { peerId: peer.remotePeerId } });
  }

  private onLost(id: number, code: string): void {
    this.options.reporter.report({ event: 'seller-lost', seller: this.connections.name(id), code });
    this.transport(id, { type: 'disconnected' });
  }

  private transport(connection: number, event: Extract<BuyerSessionEvent, { type: 'transport' }>['event']): void {
    this.feed({ type: 'transport', connection, event, atMs: performance.now() });
  }

  /** Steps the machine; events that arise from effects wait until the step has returned. */
  private feed(event: BuyerSessionEvent): void {
    this.queue.push(event);
    if (this.stepping) return;
    this.stepping = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
        const { state, effects } = stepBuyerSession(this.session, next);
        this.session = state;
        for (const effect of effects) this.carryOut(effect);
        // Sellers that had joined before the contract was given up are not announced again.
        if (this.search.follow(state.phase, performance.now())) this.chooseAfterGrace();
      }
    } finally {
      this.stepping = false;
    }
  }

  private carryOut(effect: BuyerSessionEffect): void {
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
        return this.answer(effect.contract, this.options.contracts.store(effect.refunds), () => ({
          type: 'refunds-stored',
          contract: effect.contract,
        }));
      case 'broadcast-contract':
        return this.answer(effect.contract, this.options.contracts.broadcast(), () => ({
          type: 'contract-broadcast',
          contract: effect.contract,
        }));
      case 'abandon-contract':
        return this.options.contracts.abandon();
      case 'verify-piece':
        return this.verify(effect.connection, effect.piece, effect.data);
      case 'paid':
        this.progress.payments += 1;
        this.progress.paidSat.set(effect.connection, effect.paidSat);
        this.options.contracts.paid(effect.connection, effect.paymentNumber);
        return this.options.reporter.report({
          event: 'payment',
          seller: this.connections.name(effect.connection),
          k: effect.paymentNumber,
          paidSat: effect.paidSat.toString(),
        });
      case 'purchase-ended':
        return this.options.reporter.report({
          event: 'purchase-ended',
          seller: this.connections.name(effect.connection),
          code: effect.reason,
          payments: effect.payments,
        });
      case 'all-sellers-gone':
        return this.fail(
          ExitCode.incomplete,
          'all-sellers-gone',
          `every seller of the contract is gone; ${effect.missing} pieces are missing (a second run resumes)`,
        );
      case 'complete':
        this.settle?.resolve();
    }
  }

  private onConnection(id: number, effect: TransportEffect): void {
    const peer = this.connections.peer(id);
    if (peer === undefined) return;
    switch (effect.type) {
      case 'send-handshake':
        peer.sendExtendedHandshake(
          encodeExtendedHandshake({ kind: effect.kind, topLevel: { v: Buffer.from(this.options.userAgent) } }),
        );
        return;
      case 'send':
        peer.sendExtended(effect.id, encodePayload(effect.message));
        return;
      case 'close':
        void peer.finish();
        return;
      case 'session-joined':
      case 'session-left':
      case 'peer-mode':
      case 'note':
        return;
    }
  }

  /** Chooses at once when every seller asked has joined, else after a grace for the slower ones. */
  private onCandidates(joined: number, enough: boolean): void {
    if (!enough || this.session.phase !== 'inviting') return;
    if (joined >= this.options.peers.length) return this.feed({ type: 'choose' });
    this.chooseAfterGrace();
  }

  private chooseAfterGrace(): void {
    this.choiceTimer ??= this.after(CHOICE_GRACE_MS, () => {
      this.choiceTimer = undefined;
      if (this.session.phase === 'inviting') this.feed({ type: 'choose' });
    });
  }

  private prepareContract(effect: Extract<BuyerSessionEffect, { type: 'prepare-contract' }>): void {
    for (const seller of effect.sellers) {
      this.options.reporter.report({
        event: 'seller-joined',
        seller: this.connections.name(seller.connection),
        priceSat: seller.terms.minPrice.toString(),
        latencyMs: seller.latencyMs ?? null,
      });
    }
    this.connections.stopDialling();
    const { contracts } = this.options;
    const prepared = contracts.prepare(effect.sellers, effect.feeSatPerKb, (id) => this.connections.name(id));
    this.answer(effect.contract, prepared, (fundings) => ({
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
    const good = this.options.sink.isGood(piece, data);
    this.lastPieceMs.set(connection, performance.now());
    if (!good) return this.feed({ type: 'piece-verdict', connection, piece, good });
    // Written before it is paid: a piece that the disk lost would have to be bought again.
    this.options.sink.write(piece, data).then(
      () => {
        this.progress.bought += 1;
        this.progress.have += 1;
        this.feed({ type: 'piece-verdict', connection, piece, good });
        this.options.reporter.report({
          event: 'piece',
          piece,
          seller: this.connections.name(connection),
          have: this.progress.have,
          pieces: this.options.metainfo.pieceCount,
        });
      },
      (failure: unknown) => this.settle?.reject(failure),
    );
  }

  private giveUpSearching(): void {
    if (!this.search.isOver(performance.now())) return;
    const needed = this.options.session.terms.minNumberOfSellers;
    const offers = buyerSessionStatus(this.session).links.flatMap(({ peerMode, connection }) =>
      peerMode.kind === 'sell'
        ? [
            `${this.connections.name(connection)} asks ${peerMode.terms.minPrice} sat a piece, lock ${peerMode.terms.minLock}`,
          ]
        : [],
    );
    const seen = offers.length === 0 ? 'no seller made an offer' : offers.join('; ');
    this.fail(ExitCode.noSeller, 'no-fitting-seller', `fewer than ${needed} fitting sellers joined: ${seen}`);
  }

  private dropStalled(): void {
    if (this.session.phase !== 'downloading') return;
    const nowMs = performance.now();
    for (const link of buyerSessionStatus(this.session).links) {
      if (link.open === 0 || link.closed) {
        this.lastPieceMs.set(link.connection, nowMs);
        continue;
      }
      const sinceMs = nowMs - (this.lastPieceMs.get(link.connection) ?? nowMs);
      if (!this.lastPieceMs.has(link.connection)) this.lastPieceMs.set(link.connection, nowMs);
      if (sinceMs > STALL_MS) {
        this.feed({ type: 'drop-seller', connection: link.connection, reason: 'seller-timeout' });
      }
    }
  }

  private fail(exitCode: ExitCode, code: string, message: string): void {
    this.settle?.reject(new BuyerError(exitCode, code, message));
  }

  private after(ms: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(work, ms);
    this.timers.add(timer);
    return timer;
  }

  private every(ms: number, work: () => void): void {
    this.timers.add(setInterval(work, ms));
  }
}
