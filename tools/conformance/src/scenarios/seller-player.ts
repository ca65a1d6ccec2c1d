import {
  createConnection,
  DEFAULT_SELLER_LIMITS,
  stepConnection,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
  type TorrentShape,
} from '@seedfleet/exchange';
import { bestEcdsa, type Network } from '@seedfleet/payment-channel';
import type { Message, SellerTerms } from '@seedfleet/wire';
import { emitted, newPlayLog, type LocalAct, type Player } from './play-log.js';

/** The reference sends five pieces before the first payment (session behaviour §4). */
export const REFERENCE_WINDOW_PIECES = 5;

export interface SellerSetup {
  readonly network: Network;
  readonly torrent: TorrentShape;
  /** Terms of each `sell` the reference sent, in order; the last one holds from then on. */
  readonly quotes: readonly SellerTerms[];
  /** The mode the reference announced first. */
  readonly mode: 'observe' | 'sell';
  /** Keys of each join of the reference, in order. Those the script did not read are made as soon as they can be. */
  readonly joins: readonly JoinKeys[];
  readonly joinsRead: number;
}

export interface JoinKeys {
  readonly sellerPublicKey: Uint8Array;
  readonly sellerKeyHash: Uint8Array;
}

const FULL_WINDOW = {
  startPieces: REFERENCE_WINDOW_PIECES,
  paymentsPerStep: 1,
  maxPieces: REFERENCE_WINDOW_PIECES,
  maxBytes: Number.MAX_SAFE_INTEGER,
};

/**
 * Our seller with a host that decides as the reference's did: pieces load at once, payments are durable at once, every
 * funding is served; joining waits until the script says so.
 */
export class SellerPlayer implements Player {
  readonly log = newPlayLog();
  readonly #setup: SellerSetup;
  #conn: ConnectionState | undefined;
  #invitation: number | undefined;
  #quotesGiven = 0;
  #mode: 'observe' | 'sell' | 'buy';

  constructor(setup: SellerSetup) {
    this.#setup = setup;
    this.#mode = setup.mode;
  }

  connect(peerId: Uint8Array): void {
    this.disconnect();
    this.#conn = createConnection({
      network: this.#setup.network,
      torrent: this.#setup.torrent,
      peer: { peerId },
      ecdsa: bestEcdsa(),
      seller: {
        ...DEFAULT_SELLER_LIMITS,
        window: FULL_WINDOW,
        holdSell: false,
      },
    });
    if (this.#mode !== 'buy') this.#feed({ type: this.#mode });
  }

  receive(id: number, payload: Uint8Array): void {
    this.#feed({ type: 'received', id, payload });
  }

  act(local: LocalAct): void {
    if (local.kind === 'install') return this.#feed({ type: 'start' });
    if (local.kind === 'uninstall') return this.#feed({ type: 'stop' });
    this.#actMessage(local.message);
  }

  disconnect(): void {
    if (this.#conn !== undefined) this.#feed({ type: 'disconnected' });
    this.#conn = undefined;
  }

  #actMessage(message: Message): void {
    switch (message.type) {
      case 'joining_contract':
        if (this.#invitation === undefined) return;
        return this.#feed({ ...message, type: 'join-accepted', invitation: this.#invitation });
      case 'sell':
        // In sell mode already: revised terms. Otherwise the mode is entered, and asks for them.
        if (this.#mode === 'sell') {
          this.#quotesGiven += 1;
          return this.#feed({ type: 'quote', terms: message.terms });
        }
        this.#mode = 'sell';
        return this.#feed({ type: 'sell' });
      case 'buy':
        this.#mode = 'buy';
        return this.#feed({ type: 'buy', terms: message.terms });
      case 'observe':
        this.#mode = 'observe';
        return this.#feed({ type: 'observe' });
      default:
    }
  }

  /** One event and everything that the host answers to its effects. */
  #feed(event: ConnectionEvent): void {
    const queue: ConnectionEvent[] = [event];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (this.#conn === undefined) return;
      const { state, effects } = stepConnection(this.#conn, next);
      this.#conn = state;
      for (const effect of effects) queue.push(...this.#carryOut(effect));
    }
  }

  #carryOut(effect: Effect): ConnectionEvent[] {
    const { log } = this;
    switch (effect.type) {
      case 'send-handshake':
        log.emissions.push({ kind: 'handshake', stimulus: log.stimulus, install: effect.kind === 'install' });
        return [];
      case 'send':
        this.#emit(effect.id, effect.message);
        return [];
      case 'close':
        log.closed ??= { stimulus: log.stimulus, code: effect.code };
        return [];
      case 'note':
        log.notes.push({ stimulus: log.stimulus, code: effect.code });
        return [];
      case 'quote-wanted':
        return this.#answerQuote();
      case 'speed-test-wanted':
        this.#emit(effect.id, { type: 'speedTestPayload', data: new Uint8Array(effect.sizeBytes).fill(0xff) });
        return [];
      case 'join-wanted':
        this.#invitation = effect.invitation;
        return this.#joinUnread(effect.invitation);
      case 'funding-announced':
        log.channel = effect.parameters;
        return [{ type: 'funding-verdict', verdict: { kind: 'serve-all' } }];
      case 'load-piece':
        return [{ type: 'piece-loaded', entry: effect.entry }];
      case 'deliver-piece':
        log.emissions.push({
          kind: 'message',
          stimulus: log.stimulus,
          type: 'full_piece',
          id: effect.id,
          piece: effect.piece,
        });
        return [];
      case 'store-payment':
        log.payments += 1;
        return [{ type: 'payments-stored', paymentNumber: effect.paymentNumber }];
      case 'channel-ended':
        this.#settle(effect);
        return [];
      default:
        return [];
    }
  }

  #answerQuote(): ConnectionEvent[] {
    const { quotes } = this.#setup;
    const terms = quotes[Math.min(this.#quotesGiven, quotes.length - 1)];
    this.#quotesGiven += 1;
    return terms === undefined ? [] : [{ type: 'quote', terms }];
  }

  #joinUnread(invitation: number): ConnectionEvent[] {
    const made = emitted(this.log, 'joining_contract');
    const keys = made < this.#setup.joinsRead ? undefined : this.#setup.joins[made];
    return keys === undefined ? [] : [{ type: 'join-accepted', invitation, ...keys }];
  }

  #emit(id: number, message: Message): void {
    const { log } = this;
    log.emissions.push({ kind: 'message', stimulus: log.stimulus, type: message.type, id, message });
  }

  /** A channel without a payment has nothing to settle. */
  #settle(ended: Extract<Effect, { type: 'channel-ended' }>): void {
    if (ended.finalPayment === 0) return;
    const priceSat = this.log.channel?.priceSat ?? 0n;
    this.log.settlements.push({
      payments: ended.finalPayment,
      paidSat: BigInt(ended.finalPayment) * priceSat,
      signature: ended.signature,
    });
  }
}
