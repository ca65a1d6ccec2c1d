import {
  buyerSessionStatus,
  createBuyerSession,
  sessionInboundLimitBytes,
  stepBuyerSession,
  type BuyerSessionEffect,
  type BuyerSessionEvent,
  type BuyerSessionState,
  type TransportEffect,
} from '@seedfleet/exchange';
import { encodeExtendedHandshake, encodePayload } from '@seedfleet/wire';
import type { Peer } from '@seedfleet/bittorrent';
import { BuyerError, ExitCode } from '../failure.js';
import { faultPoint } from '../fault-points.js';
import type { PeerAddress } from '../options.js';
import { Connections } from './connections.js';
import { PaymentTotals } from './payments.js';
import type { PurchaseOptions, PurchaseResult } from './purchase-types.js';
import { Rate } from './rate.js';
import { Reputation } from './reputation.js';
import { SellerSearch } from './seller-search.js';
import { Stalls } from './stalls.js';

/** Once enough have joined, how long the others may take: the fastest are picked, so late answers lose anyhow. */
const CHOICE_GRACE_MS = 3_000;
const MAX_CHOICE_ROUNDS = 3;
/** Contracts in a row that brought not one piece, before the download is given up: each costs two fees. */
const MAX_FRUITLESS_CONTRACTS = 3;

/** Hosts one buyer session: sockets, disk, wallet and clock around the pure machine. */
export class Purchase {
  private session: BuyerSessionState;
  private readonly reputation = new Reputation();
  private readonly connections: Connections;
  private readonly search: SellerSearch;
  private readonly stalls: Stalls;
  private readonly queue: BuyerSessionEvent[] = [];
  private stepping = false;
  private readonly totals = new PaymentTotals();
  private readonly rate = new Rate();
  private readonly progress = { bought: 0, free: 0, have: 0, contracts: 0, boughtAtContract: 0, fruitless: 0 };
  private readonly timers = new Set<NodeJS.Timeout>();
  private choiceTimer: NodeJS.Timeout | undefined;
  private settle: { resolve: () => void; reject: (failure: unknown) => void } | undefined;

  constructor(private readonly options: PurchaseOptions) {
    this.session = createBuyerSession(options.session);
    this.progress.have = options.sink.had.length;
    this.search = new SellerSearch(options.searchMs);
    this.stalls = new Stalls(options.metainfo.pieceLengthBytes, options.silenceMs);
    this.connections = new Connections(
      options.metainfo,
      (connection, id) => sessionInboundLimitBytes(this.session, connection, id),
      this.reputation,
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
        this.timers.add(setInterval(() => this.tick(), 1_000));
      });
    } finally {
      this.timers.forEach(clearInterval);
      // Pays for requests that were answered while stopping, and closes every connection.
      this.feed({ type: 'finish', reason: 'shutdown' });
      await this.connections.close();
    }
    const { bought, free, contracts } = this.progress;
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
    peer.on('extended', (extendedId, payload) => received({ type: 'received', id: extendedId, payload }));
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
          this.progress.boughtAtContract = this.progress.bought;
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
    switch (effect.type) {
      case 'send-handshake':
        peer.sendExtendedHandshake(
          encodeExtendedHandshake({ kind: effect.kind, topLevel: { v: Buffer.from(this.options.userAgent) } }),
        );
        return;
      case 'send':
        peer.sendExtended(effect.id, encodePayload(effect.message));
        if (effect.message.type === 'ready') faultPoint('contract.after-announce');
        return;
      case 'close':
        this.reputation.connectionEnded(this.connections.name(id), effect.code);
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
    if (joined >= this.connections.known) return this.feed({ type: 'choose' });
    this.chooseAfterGrace();
  }

  private chooseAfterGrace(rounds = 1): void {
    if (this.choiceTimer !== undefined) return;
    this.choiceTimer = setTimeout(() => {
      this.timers.delete(this.choiceTimer as NodeJS.Timeout);
      this.choiceTimer = undefined;
      if (this.session.phase !== 'inviting') return;
      const joined = buyerSessionStatus(this.session).links.filter(({ role }) => role === 'preparing').length;
      // Fewer than wanted are taken too, but not before the others have had some time.
      if (joined >= this.options.sellers || rounds >= MAX_CHOICE_ROUNDS) return this.feed({ type: 'choose' });
      this.chooseAfterGrace(rounds + 1);
    }, CHOICE_GRACE_MS);
    this.timers.add(this.choiceTimer);
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
    const good = this.options.sink.isGood(piece, data);
    this.stalls.pieceArrived(connection, performance.now());
    if (!good) return this.feed({ type: 'piece-verdict', connection, piece, good });
    // Written before it is paid: a piece that the disk lost would have to be bought again.
    this.options.sink.write(piece, data).then(
      () => {
        this.progress.bought += 1;
        this.progress.have += 1;
        const seller = this.connections.name(connection);
        this.feed({ type: 'piece-verdict', connection, piece, good });
        const { have } = this.progress;
        this.options.reporter.report({ event: 'piece', piece, seller, have, pieces: this.options.metainfo.pieceCount });
      },
      (failure: unknown) => this.settle?.reject(failure),
    );
  }

  /** The machine looks for sellers again by itself; whether that is still worth it is decided here. */
  private onSellersGone(missing: number): void {
    const { progress } = this;
    progress.fruitless = progress.bought > progress.boughtAtContract ? 0 : progress.fruitless + 1;
    this.options.reporter.report({ event: 'contract-used-up', missing });
    if (progress.fruitless < MAX_FRUITLESS_CONTRACTS) return;
    const message = `${progress.fruitless} contracts in a row brought nothing; ${missing} pieces are missing`;
    this.fail(ExitCode.incomplete, 'sellers-take-deposits', message);
  }

  private tick(): void {
    const nowMs = performance.now();
    this.feed({ type: 'tick', atMs: nowMs });
    this.giveUpSearching(nowMs);
    this.reportProgress(nowMs);
    if (this.session.phase === 'downloading') this.dropStalled(nowMs);
  }

  private reportProgress(nowMs: number): void {
    const { pieceCount: pieces, pieceLengthBytes } = this.options.metainfo;
    const { have } = this.progress;
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
    const offers = links.flatMap(({ peerMode, connection }) =>
      peerMode.kind === 'sell'
        ? [
            `${this.connections.name(connection)} asks ${peerMode.terms.minPrice} sat a piece, lock ${peerMode.terms.minLock}`,
          ]
        : [],
    );
    const seen = offers.length === 0 ? 'no seller made an offer' : offers.join('; ');
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
