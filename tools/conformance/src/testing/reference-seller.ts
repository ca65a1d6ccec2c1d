import {
  bestEcdsa,
  prepareSettlement,
  verifyBuyerSignature,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import { decodeMessage, MESSAGE_ID, type Message, type MessageIds, type MessageName } from '@seedfleet/wire';
import { isOnCurve } from '../wire/messages.js';
import { channel, JOINING, SELLER_TERMS } from './script-builder.js';

/** An extended handshake as the reference sees it (wire protocol §3). */
export type SeenHandshake =
  | { readonly kind: 'install'; readonly ids: MessageIds }
  | { readonly kind: 'uninstall' }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid-mapping' }
  | { readonly kind: 'invalid-version' };

/** What the reference does in return. */
export type Reaction =
  | { readonly kind: 'send'; readonly message: Message; readonly ids: MessageIds }
  | { readonly kind: 'piece'; readonly ids: MessageIds }
  | { readonly kind: 'counted' }
  | { readonly kind: 'settled'; readonly payments: number }
  | { readonly kind: 'closed' };

type State = 'ready' | 'invited' | 'joined' | 'serving';

const WINDOW = 5;
const LAST_PIECE = 12;
const MAX_SPEED_TEST_BYTES = 2_000_000;

/**
 * The reference's seller as its description has it (wire protocol §3, state machine §3, session behaviour §3 to §6), in
 * its simplest form: it joins every invitation at once, loads pieces at once, and checks nothing about the funding.
 */
export class ReferenceSeller {
  #mapping: MessageIds | undefined;
  #wiped = false;
  #inSession = false;
  #closed = false;
  #state: State = 'ready';
  #peerMode: 'none' | 'observe' | 'buy' | 'sell' = 'none';
  #tested = false;
  #template: SettlementTemplate | undefined;
  #requests = 0;
  #sent = 0;
  #payments = 0;
  #reactions: Reaction[] = [];

  handshake(seen: SeenHandshake): Reaction[] {
    if (!this.#closed) this.#onHandshake(seen);
    return this.#take();
  }

  frame(id: number, payload: Uint8Array): Reaction[] {
    if (!this.#closed) this.#onFrame(id, payload);
    return this.#take();
  }

  /** The script closes the socket. */
  end(): Reaction[] {
    if (!this.#closed) this.#leave();
    return this.#take();
  }

  #take(): Reaction[] {
    const taken = this.#reactions;
    this.#reactions = [];
    return taken;
  }

  #onHandshake(seen: SeenHandshake): void {
    const stored = this.#mapping !== undefined;
    switch (seen.kind) {
      case 'invalid-version':
        return this.#close();
      case 'none':
        return stored ? this.#close() : undefined;
      case 'invalid-mapping':
        this.#wiped = stored;
        this.#mapping = undefined;
        return;
      case 'uninstall':
        if (!stored) return this.#close();
        this.#mapping = undefined;
        return this.#leave();
      case 'install':
        if (stored || this.#wiped) return this.#close();
        this.#mapping = seen.ids;
        this.#inSession = true;
        this.#state = 'ready';
        this.#peerMode = 'none';
        this.#tested = false;
        this.#requests = 0;
        this.#sent = 0;
        this.#payments = 0;
        return this.#send({ type: 'sell', terms: SELLER_TERMS, index: 0 });
    }
  }

  #onFrame(id: number, payload: Uint8Array): void {
    const mapping = this.#mapping;
    const names = Object.keys(MESSAGE_ID) as MessageName[];
    const name = mapping === undefined ? undefined : names.find((candidate) => mapping[candidate] === id);
    if (name === undefined || !this.#inSession) return this.#close();
    const decoded = decodeMessage(MESSAGE_ID[name], payload, isOnCurve);
    if (!decoded.ok) return this.#close();
    this.#onMessage(decoded.message);
  }

  #onMessage(message: Message): void {
    switch (message.type) {
      case 'observe':
      case 'buy':
      case 'sell':
        this.#peerMode = message.type;
        if (this.#state === 'serving') return this.#close();
        this.#state = 'ready';
        return;
      case 'join_contract':
        if (this.#state !== 'ready') return;
        if (this.#peerMode !== 'buy') return this.#close();
        if (message.index !== 0) return;
        this.#state = 'joined';
        return this.#send(JOINING);
      case 'speedTestRequest':
        if (this.#state !== 'ready') return;
        if (this.#peerMode !== 'buy' || this.#tested || message.size > MAX_SPEED_TEST_BYTES) return this.#close();
        this.#tested = true;
        return this.#send({ type: 'speedTestPayload', data: new Uint8Array(message.size).fill(0xff) });
      case 'ready':
        if (this.#state !== 'joined') return;
        this.#state = 'serving';
        this.#template = prepareSettlement({
          ...channel(message.value),
          fundingOutpoint: message.outpoint,
          buyerPublicKey: message.buyerPublicKey,
          buyerKeyHash: message.buyerKeyHash,
        });
        return;
      case 'request_full_piece':
        if (this.#state !== 'serving') return;
        if (message.piece < 0 || message.piece > LAST_PIECE) return this.#close();
        this.#requests += 1;
        return this.#deliver();
      case 'payment':
        if (this.#state === 'serving') this.#onPayment(message.signature);
        return;
      default:
    }
  }

  #onPayment(signature: Uint8Array): void {
    const template = this.#template;
    const number = this.#payments + 1;
    if (template === undefined || number > this.#requests) return this.#close();
    if (!verifyBuyerSignature(template, number, signature, bestEcdsa()).ok) return this.#close();
    this.#payments = number;
    this.#reactions.push({ kind: 'counted' });
    this.#deliver();
  }

  #deliver(): void {
    const ids = this.#mapping ?? MESSAGE_ID;
    while (this.#sent < this.#requests && this.#sent < this.#payments + WINDOW) {
      this.#sent += 1;
      this.#reactions.push({ kind: 'piece', ids });
    }
  }

  #send(message: Message): void {
    this.#reactions.push({ kind: 'send', message, ids: this.#mapping ?? MESSAGE_ID });
  }

  #leave(): void {
    if (this.#inSession && this.#payments > 0 && this.#state === 'serving') {
      this.#reactions.push({ kind: 'settled', payments: this.#payments });
    }
    this.#inSession = false;
    this.#state = 'ready';
  }

  #close(): void {
    this.#leave();
    this.#closed = true;
    this.#reactions.push({ kind: 'closed' });
  }
}
