import {
  createBuyerSession,
  stepBuyerSession,
  type BuyerSessionEffect,
  type BuyerSessionEvent,
  type BuyerSessionState,
  type SessionFunding,
  type TorrentShape,
  type TransportEffect,
} from '@seedfleet/exchange';
import { bestEcdsa, derSignature, type ChannelParameters, type Network } from '@seedfleet/payment-channel';
import type { BuyerTerms, Message } from '@seedfleet/wire';
import { newPlayLog, type LocalAct, type Player } from './play-log.js';

export type ReadyMessage = Extract<Message, { type: 'ready' }>;

export interface BuyerSetup {
  readonly network: Network;
  readonly torrent: TorrentShape;
  readonly terms: BuyerTerms;
  /** Size of the reference's speed test; undefined when it made none. */
  readonly speedTestBytes: number | undefined;
  /** The reference's verdict on each received piece, in order. */
  readonly verdicts: readonly boolean[];
  /** For pieces beyond the recorded verdicts. */
  readonly isGood: (piece: number, data: Uint8Array) => boolean;
  /** Private key of the contract key in this `ready`. */
  readonly contractKey: (ready: ReadyMessage) => Uint8Array | undefined;
  /** What the reference announced without the script reading it: done as soon as a seller has joined. */
  readonly unreadReady: ReadyMessage | undefined;
}

/** The reference's number of unanswered requests per seller (session behaviour §8). */
const REFERENCE_OPEN_REQUESTS = 4;

/**
 * Our buyer with a host that decides as the reference's did: the contract is made when the script read `ready`, with the
 * keys, outpoint and value recorded, and pieces are judged as recorded.
 */
export class BuyerPlayer implements Player {
  readonly log = newPlayLog();
  readonly #setup: BuyerSetup;
  #session: BuyerSessionState;
  #connection = 0;
  #connected = false;
  #verdicts = 0;
  #ready: ReadyMessage | undefined;

  constructor(setup: BuyerSetup) {
    this.#setup = setup;
    this.#session = createBuyerSession({
      network: setup.network,
      torrent: setup.torrent,
      ecdsa: bestEcdsa(),
      terms: setup.terms,
      sellers: 1,
      speedTestBytes: setup.speedTestBytes,
      maxOpenRequests: REFERENCE_OPEN_REQUESTS,
    });
  }

  connect(peerId: Uint8Array): void {
    this.disconnect();
    this.#connection += 1;
    this.#connected = true;
    this.#feed({ type: 'connected', connection: this.#connection, peer: { peerId } });
  }

  receive(id: number, payload: Uint8Array): void {
    this.#transport({ type: 'received', id, payload });
  }

  act(local: LocalAct): void {
    // The session installs the extension by itself, and never withdraws it from a single connection.
    if (local.kind !== 'message') return;
    switch (local.message.type) {
      case 'ready':
        this.#ready = local.message;
        return this.#feed({ type: 'choose' });
      case 'buy':
        return this.#feed({ type: 'revise-terms', terms: local.message.terms });
      case 'observe':
        return this.#feed({ type: 'observe' });
      default:
    }
  }

  disconnect(): void {
    if (this.#connected) this.#transport({ type: 'disconnected' });
    this.#connected = false;
  }

  #transport(event: Extract<BuyerSessionEvent, { type: 'transport' }>['event']): void {
    this.#feed({ type: 'transport', connection: this.#connection, event, atMs: this.log.stimulus });
  }

  #feed(event: BuyerSessionEvent): void {
    const queue: BuyerSessionEvent[] = [event];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { state, effects } = stepBuyerSession(this.#session, next);
      this.#session = state;
      for (const effect of effects) queue.push(...this.#carryOut(effect));
    }
  }

  #carryOut(effect: BuyerSessionEffect): BuyerSessionEvent[] {
    switch (effect.type) {
      case 'connection':
        this.#onTransport(effect.effect);
        return [];
      case 'candidates':
        this.#ready ??= this.#setup.unreadReady;
        return this.#setup.unreadReady !== undefined && effect.joined > 0 ? [{ type: 'choose' }] : [];
      case 'prepare-contract':
        return this.#prepare(effect);
      case 'store-refunds':
        return [{ type: 'refunds-stored', contract: effect.contract }];
      case 'broadcast-contract':
        return [{ type: 'contract-broadcast', contract: effect.contract }];
      case 'verify-piece': {
        const { connection, piece } = effect;
        const good = this.#setup.verdicts[this.#verdicts] ?? this.#setup.isGood(piece, effect.data);
        this.#verdicts += 1;
        return [{ type: 'piece-verdict', connection, piece, good }];
      }
      case 'paid':
        this.log.payments += 1;
        return [];
      default:
        return [];
    }
  }

  #onTransport(effect: TransportEffect): void {
    const { log } = this;
    const { stimulus } = log;
    if (effect.type === 'send-handshake') {
      log.emissions.push({ kind: 'handshake', stimulus, install: effect.kind === 'install' });
    } else if (effect.type === 'send') {
      log.emissions.push({
        kind: 'message',
        stimulus,
        type: effect.message.type,
        id: effect.id,
        message: effect.message,
      });
    } else if (effect.type === 'close') log.closed ??= { stimulus, code: effect.code };
    else if (effect.type === 'note') log.notes.push({ stimulus, code: effect.code });
  }

  #prepare(effect: Extract<BuyerSessionEffect, { type: 'prepare-contract' }>): BuyerSessionEvent[] {
    const ready = this.#ready;
    const seller = effect.sellers[0];
    const key = ready === undefined ? undefined : this.#setup.contractKey(ready);
    if (ready === undefined || seller === undefined || key === undefined) {
      return [{ type: 'contract-failed', contract: effect.contract }];
    }
    const { connection } = seller;
    this.log.channel = channelOf(this.#setup.network, ready, seller);
    const funding: SessionFunding = {
      connection,
      valueSat: ready.value,
      outpoint: ready.outpoint,
      buyerPublicKey: ready.buyerPublicKey,
      buyerKeyHash: ready.buyerKeyHash,
      sign: (digest) => derSignature(bestEcdsa().sign(digest, key)),
    };
    return [{ type: 'contract-prepared', contract: effect.contract, fundings: [funding] }];
  }
}

type Chosen = Extract<BuyerSessionEffect, { type: 'prepare-contract' }>['sellers'][number];

const channelOf = (network: Network, ready: ReadyMessage, seller: Chosen): ChannelParameters => ({
  network,
  priceSat: seller.terms.minPrice,
  lockUnits: seller.terms.minLock,
  settlementFeeSat: seller.terms.settlementFee,
  fundingValueSat: ready.value,
  fundingOutpoint: ready.outpoint,
  buyerPublicKey: ready.buyerPublicKey,
  buyerKeyHash: ready.buyerKeyHash,
  sellerPublicKey: seller.sellerPublicKey,
  sellerKeyHash: seller.sellerKeyHash,
});
