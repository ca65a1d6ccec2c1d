import { termsFit } from '@seedfleet/exchange';
import type { Message, SellerTerms } from '@seedfleet/wire';
import type { SeenHandshake } from './reference-seller.js';
import { type BUYER_TERMS, channel, readyOf } from './script-builder.js';

/** What the reference's buyer does in return. */
export type BuyerReaction =
  | { readonly kind: 'send'; readonly message: Message }
  /** Payment so and so much on the running channel. */
  | { readonly kind: 'payment'; readonly number: number; readonly terms: SellerTerms }
  | { readonly kind: 'judged'; readonly good: boolean }
  | { readonly kind: 'closed' };

type State = 'ready' | 'test' | 'asked' | 'loading';

const PIECES = 13;
const OPEN_REQUESTS = 4;
export const FUNDING_SAT = 20_000n;

/**
 * The reference's buyer as its description has it (state machine §4, session behaviour §7, §8), in its simplest form: one
 * seller, whose contract is made as soon as it has joined.
 */
export class ReferenceBuyer {
  #installed = false;
  #closed = false;
  #state: State = 'ready';
  #seller: SellerTerms | undefined;
  #index = 0;
  #testStarted = false;
  #testDone = false;
  #requested = 0;
  #received = 0;
  #paid = 0;
  #reactions: BuyerReaction[] = [];

  constructor(
    readonly terms: typeof BUYER_TERMS,
    readonly testBytes: number | undefined,
  ) {}

  handshake(seen: SeenHandshake): BuyerReaction[] {
    if (!this.#closed) this.#onHandshake(seen);
    return this.#take();
  }

  /** @param good what the hash of a piece would say. */
  message(message: Message, good: boolean): BuyerReaction[] {
    if (!this.#closed) {
      if (this.#installed) this.#onMessage(message, good);
      else this.#close();
    }
    return this.#take();
  }

  #take(): BuyerReaction[] {
    const taken = this.#reactions;
    this.#reactions = [];
    return taken;
  }

  #onHandshake(seen: SeenHandshake): void {
    if (seen.kind !== 'install' || this.#installed) return this.#close();
    this.#installed = true;
    this.#send({ type: 'buy', terms: this.terms });
  }

  #onMessage(message: Message, good: boolean): void {
    switch (message.type) {
      case 'observe':
      case 'buy':
      case 'sell':
        return this.#onMode(message);
      case 'speedTestPayload':
        if (this.#state !== 'test') return;
        if (message.data.length !== this.testBytes) return this.#close();
        this.#testDone = true;
        this.#state = 'ready';
        return this.#consider();
      case 'joining_contract':
        if (this.#state === 'asked') this.#startLoading();
        return;
      case 'full_piece':
        if (this.#state === 'loading') this.#onPiece(good);
        return;
      default:
    }
  }

  #onMode(message: Extract<Message, { type: 'observe' | 'buy' | 'sell' }>): void {
    if (this.#state === 'loading') return this.#close();
    this.#seller = message.type === 'sell' ? message.terms : undefined;
    this.#index = message.type === 'sell' ? message.index : 0;
    if (this.#state === 'test' && message.type === 'sell') return;
    this.#state = 'ready';
    this.#consider();
  }

  #consider(): void {
    if (this.#seller === undefined || !termsFit(this.terms, this.#seller)) return;
    if (this.testBytes !== undefined && !this.#testDone) {
      if (this.#testStarted) return;
      this.#testStarted = true;
      this.#state = 'test';
      return this.#send({ type: 'speedTestRequest', size: this.testBytes });
    }
    this.#state = 'asked';
    this.#send({ type: 'join_contract', index: this.#index });
  }

  #startLoading(): void {
    this.#state = 'loading';
    this.#send(readyOf(channel(FUNDING_SAT)));
    for (let n = 0; n < OPEN_REQUESTS; n += 1) this.#request();
  }

  #request(): void {
    if (this.#requested >= PIECES) return;
    this.#send({ type: 'request_full_piece', piece: this.#requested });
    this.#requested += 1;
  }

  #onPiece(good: boolean): void {
    if (this.#received + 1 > this.#requested) return this.#close();
    this.#received += 1;
    this.#reactions.push({ kind: 'judged', good });
    if (!good) return this.#close();
    this.#paid += 1;
    if (this.#seller !== undefined) this.#reactions.push({ kind: 'payment', number: this.#paid, terms: this.#seller });
    this.#request();
  }

  #send(message: Message): void {
    this.#reactions.push({ kind: 'send', message });
  }

  #close(): void {
    this.#closed = true;
    this.#reactions.push({ kind: 'closed' });
  }
}
