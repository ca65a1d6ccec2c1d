import { termsFit } from '@seedfleet/exchange';
import { equalBytes, kCap } from '@seedfleet/payment-channel';
import {
  decodeMessage,
  MESSAGE_ID,
  messageNameOfId,
  readExtendedHandshake,
  type BuyerTerms,
  type ExtendedHandshake,
  type Message,
  type MessageIds,
  type MessageName,
  type SellerTerms,
} from '@seedfleet/wire';
import { isOnCurve } from '../wire/messages.js';

/**
 * What is true at one moment of a scenario, reckoned from the script alone and not from our machines, so that a rule's
 * condition can't be brought about by a mistake of theirs.
 */
export interface Facts {
  readonly role: 'seller' | 'buyer';
  readonly step: number;
  readonly happened: Happened;
  /** Mapping the peer had installed before this. */
  readonly peerIds: MessageIds | undefined;
  /** The peer's last `buy`. */
  readonly buyerTerms: BuyerTerms | undefined;
  /** The last `sell` before this: ours as a seller, the peer's as a buyer. */
  readonly sellerTerms: SellerTerms | undefined;
  /** `joining_contract` was sent before this and no mode message since. */
  readonly joined: boolean;
  /** Requests and payments sent so far, this one included, since `ready`. */
  readonly requests: number;
  readonly payments: number;
  readonly channel: FundedFacts | undefined;
  /** The reference's process died in this scenario. */
  readonly crashed: boolean;
  readonly pieceLengthBytes: number;
}

export interface FundedFacts {
  readonly valueSat: bigint;
  readonly priceSat: bigint;
  /** Most payments whose settlement is relayable; 0 also where the value is out of range. */
  readonly cap: number;
  readonly keysEqual: boolean;
}

export type Happened =
  /** The peer's extended handshake. */
  | { readonly kind: 'handshake'; readonly handshake: ExtendedHandshake }
  /** A frame of the peer under this extended id. `message` is what it says under our own table. */
  | {
      readonly kind: 'frame';
      readonly id: number;
      readonly name: MessageName | undefined;
      readonly message: Message | undefined;
      readonly payloadBytes: number;
    }
  /** The reference's side did something by itself. */
  | { readonly kind: 'local'; readonly message: Message | undefined };

/** Follows a script and says what is true after each thing that happens. */
export class FactFinder {
  #peerIds: MessageIds | undefined;
  #buyerTerms: BuyerTerms | undefined;
  #sellerTerms: SellerTerms | undefined;
  #sellerKey: Uint8Array | undefined;
  #joined = false;
  #requests = 0;
  #payments = 0;
  #channel: FundedFacts | undefined;

  constructor(
    readonly role: 'seller' | 'buyer',
    readonly crashed: boolean,
    readonly pieceLengthBytes: number,
  ) {}

  /** A frame of the scripted peer. */
  peer(step: number, id: number, payload: Uint8Array): Facts {
    if (id === 0) {
      const handshake = readExtendedHandshake(payload);
      const facts = this.#facts(step, { kind: 'handshake', handshake });
      if (handshake.ok) this.#install(handshake.extension);
      return facts;
    }
    const decoded = decodeMessage(id, payload, isOnCurve);
    const message = decoded.ok ? decoded.message : undefined;
    const name = messageNameOfId(id);
    const before = this.#facts(step, { kind: 'frame', id, name, message, payloadBytes: payload.length });
    if (message !== undefined) this.#follow(message, 'peer');
    return { ...before, requests: this.#requests, payments: this.#payments, channel: this.#channel };
  }

  /** A message of the reference, as the script read it; undefined for its extended handshake. */
  local(step: number, message: Message | undefined): Facts {
    const before = this.#facts(step, { kind: 'local', message });
    if (message !== undefined) this.#follow(message, 'reference');
    return { ...before, requests: this.#requests, payments: this.#payments, channel: this.#channel };
  }

  #facts(step: number, happened: Happened): Facts {
    return {
      role: this.role,
      step,
      happened,
      peerIds: this.#peerIds,
      buyerTerms: this.#buyerTerms,
      sellerTerms: this.#sellerTerms,
      joined: this.#joined,
      requests: this.#requests,
      payments: this.#payments,
      channel: this.#channel,
      crashed: this.crashed,
      pieceLengthBytes: this.pieceLengthBytes,
    };
  }

  /** A new mapping, and an uninstall, end whatever was agreed under the old one. */
  #install(extension: Extract<ExtendedHandshake, { ok: true }>['extension']): void {
    if (extension.kind === 'none') return;
    this.#peerIds = extension.kind === 'install' ? extension.ids : undefined;
    this.#buyerTerms = undefined;
    this.#joined = false;
    this.#channel = undefined;
    this.#requests = 0;
    this.#payments = 0;
  }

  #follow(message: Message, from: 'peer' | 'reference'): void {
    const fromSeller = (from === 'reference') === (this.role === 'seller');
    switch (message.type) {
      case 'observe':
      case 'buy':
      case 'sell':
        if (fromSeller) this.#sellerTerms = message.type === 'sell' ? message.terms : undefined;
        else this.#buyerTerms = message.type === 'buy' ? message.terms : undefined;
        this.#joined = false;
        return;
      case 'joining_contract':
        this.#sellerKey = message.sellerPublicKey;
        this.#joined = true;
        return;
      case 'ready':
        // Only the first one after a join means anything.
        if (this.#joined && this.#channel === undefined) this.#fund(message);
        return;
      case 'request_full_piece':
        this.#requests += 1;
        return;
      case 'payment':
        this.#payments += 1;
        return;
      default:
    }
  }

  #fund(ready: Extract<Message, { type: 'ready' }>): void {
    const priceSat = this.#sellerTerms?.minPrice ?? 0n;
    const cap = kCap(ready.value, priceSat);
    const freeOfCharge = !cap.ok && cap.code === 'price-zero';
    this.#requests = 0;
    this.#payments = 0;
    this.#channel = {
      valueSat: ready.value,
      priceSat,
      cap: cap.ok ? cap.k : freeOfCharge ? Number.MAX_SAFE_INTEGER : 0,
      keysEqual: this.#sellerKey !== undefined && equalBytes(this.#sellerKey, ready.buyerPublicKey),
    };
  }
}

/** Whether the peer's last `buy` fits the last `sell` (wire protocol §6); false while one of them is missing. */
export const buyerFits = ({ buyerTerms, sellerTerms }: Facts): boolean =>
  buyerTerms !== undefined && sellerTerms !== undefined && termsFit(buyerTerms, sellerTerms);

/** Whether the peer announced other ids than we always do. */
export const announcedOtherIds = ({ peerIds }: Facts): boolean =>
  peerIds !== undefined && Object.entries(MESSAGE_ID).some(([name, id]) => peerIds[name as MessageName] !== id);
