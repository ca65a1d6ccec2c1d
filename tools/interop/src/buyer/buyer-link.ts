import { signSettlement, prepareSettlement, bestEcdsa, type SettlementTemplate } from '@seedfleet/payment-channel';
import type { ChannelParameters } from '@seedfleet/payment-channel';
import { readExtendedHandshake, type BuyerTerms, type Message, type SellerTerms } from '@seedfleet/wire';
import {
  DESKTOP,
  extendedFrame,
  extendedHandshake,
  handshake,
  PLAIN,
  type Client,
  type PluginState,
} from '../bittorrent/libtorrent.js';
import { PeerLink, type Address } from '../bittorrent/peer-link.js';
import type { Torrent } from '../bittorrent/torrent.js';

const ecdsa = bestEcdsa();

export interface BuyerOptions {
  readonly address: Address;
  readonly torrent: Torrent;
  readonly terms: BuyerTerms;
  /** Bytes of the speed test before inviting; 0 for none. Default: the reference's 500,000. */
  readonly speedTestBytes?: number;
  readonly client?: Client;
  /** Whether the plugin's session runs when the connection opens. Default: yes. */
  readonly started?: boolean;
  readonly dht?: boolean;
  readonly localAddress?: string;
  /** Mode at first. Default: buy. */
  readonly mode?: 'buy' | 'observe';
  /** Invite when terms fit, as the reference does. Default: yes. */
  readonly invites?: boolean;
}

/** The default terms of a desktop client (client behaviour §1), with a price limit of its owner's. */
export function desktopTerms(maxPriceSat: bigint, sellers = 1): BuyerTerms {
  return { maxContractFeePerKb: 1_024n, maxLock: 20, maxPrice: maxPriceSat, minNumberOfSellers: sellers };
}

/** What a seller has agreed to: the terms of the index that was invited. */
export interface JoinedSeller {
  readonly terms: SellerTerms;
  readonly publicKey: Uint8Array;
  readonly keyHash: Uint8Array;
}

/** One connection of a reference-shaped buyer to a seller: the automatic part, up to `joining_contract`. */
export class BuyerLink {
  readonly link: PeerLink;
  readonly offers: { readonly terms: SellerTerms; readonly index: number }[] = [];
  joined: JoinedSeller | undefined;
  /** From before the request was sent until the whole payload was there. */
  speedTestMs: number | undefined;
  /** Requests not answered yet, oldest first: pieces carry no index. */
  readonly outstanding: number[] = [];
  requests = 0;
  received = 0;
  payments = 0;
  sellerClient: string | undefined;
  onPiece: (piece: number, data: Uint8Array) => void = () => undefined;
  onLost: () => void = () => undefined;

  private state: PluginState;
  private mode: 'buy' | 'observe';
  private sellerSpeaks = false;
  private testedAtMs: number | undefined;
  private template: SettlementTemplate | undefined;
  private privateKey: Uint8Array | undefined;

  constructor(readonly options: BuyerOptions) {
    const { torrent, client = DESKTOP, dht = false } = options;
    this.mode = options.mode ?? 'buy';
    this.state = options.started === false ? 'never-started' : 'started';
    this.link = PeerLink.dial(options.address, options.localAddress);
    this.link.socket.once('connect', () => this.link.write(handshake(torrent.infoHash, client, dht)));
    this.link.onHandshake = () => this.onHandshake();
    this.link.onExtendedHandshake = (body) => this.onExtendedHandshake(body);
    this.link.onMessage = (message) => this.onMessage(message);
    this.link.onClosed = () => this.onLost();
  }

  get isClosed(): boolean {
    return this.link.isClosed;
  }

  /** The user starts the session: a second (or third) handshake, and the mode at once if the seller speaks. */
  start(): void {
    this.state = 'started';
    this.sendExtendedHandshake();
    if (this.sellerSpeaks) this.announce();
  }

  /** The user stops it: the uninstall handshake. The connection stays. */
  stop(): void {
    this.state = 'stopped';
    this.joined = undefined;
    this.testedAtMs = undefined;
    this.speedTestMs = undefined;
    this.sendExtendedHandshake();
  }

  /** Enters buy mode. A `sell` known from before is not looked at again (session behaviour §7). */
  buy(): void {
    this.mode = 'buy';
    this.announce();
  }

  /** `ready`, immediately followed by requests for the first pieces (session behaviour §8). */
  ready(channel: ChannelParameters, privateKey: Uint8Array, pieces: readonly number[]): void {
    this.template = prepareSettlement(channel);
    this.privateKey = privateKey;
    this.link.send({
      type: 'ready',
      value: channel.fundingValueSat,
      outpoint: channel.fundingOutpoint,
      buyerPublicKey: channel.buyerPublicKey,
      buyerKeyHash: channel.buyerKeyHash,
    });
    this.request(...pieces);
  }

  request(...pieces: readonly number[]): void {
    if (pieces.length === 0) return;
    this.requests += pieces.length;
    this.outstanding.push(...pieces);
    this.link.send(...pieces.map((piece) => ({ type: 'request_full_piece', piece }) as const));
  }

  /** The next payment. */
  pay(): void {
    if (this.template === undefined || this.privateKey === undefined) throw new Error('nothing is funded yet');
    this.payments += 1;
    this.link.send({
      type: 'payment',
      signature: signSettlement(this.template, this.payments, this.privateKey, ecdsa),
    });
  }

  /** Pays for what was requested and did not come, then leaves buy mode (session behaviour §8). */
  finish(): void {
    while (this.payments < this.requests) this.pay();
    this.link.send({ type: 'observe' });
  }

  private onHandshake(): void {
    this.sendExtendedHandshake();
    this.link.write(PLAIN.haveNone);
    if (this.options.dht === true) this.link.write(PLAIN.dhtPort(7_881));
  }

  private sendExtendedHandshake(): void {
    const { client = DESKTOP, torrent } = this.options;
    const body = extendedHandshake(client, this.state, {
      metadataBytes: torrent.file.length - 8,
      listenPort: 7_881,
      seed: false,
    });
    this.link.write(extendedFrame(0, body));
  }

  private onExtendedHandshake(body: Uint8Array): void {
    const read = readExtendedHandshake(body);
    if (!read.ok) return this.link.destroy();
    this.sellerClient = read.client;
    const speaks = read.extension.kind === 'install';
    // A repeated full mapping makes the reference hang up (wire protocol §3, row 16).
    if (speaks && this.sellerSpeaks) return this.link.destroy();
    this.sellerSpeaks = speaks;
    this.link.write(PLAIN.interested);
    if (speaks && this.state === 'started') this.announce();
  }

  private announce(): void {
    this.link.send(this.mode === 'buy' ? { type: 'buy', terms: this.options.terms } : { type: 'observe' });
  }

  private onMessage(message: Message): void {
    switch (message.type) {
      case 'sell':
        // After joining, any mode message is the end of it (hazard H4).
        if (this.joined !== undefined) return this.link.destroy();
        this.offers.push(message);
        return this.consider();
      case 'speedTestPayload':
        if (this.testedAtMs === undefined) return;
        if (message.data.length !== this.speedTestBytes) return this.link.destroy();
        this.speedTestMs ??= performance.now() - this.testedAtMs;
        return this.consider();
      case 'joining_contract': {
        const offer = this.offers.at(-1);
        if (offer === undefined || this.joined !== undefined) return;
        this.joined = { terms: offer.terms, publicKey: message.sellerPublicKey, keyHash: message.sellerKeyHash };
        return;
      }
      case 'full_piece': {
        const piece = this.outstanding.shift();
        if (piece === undefined) return this.link.destroy();
        this.received += 1;
        return this.onPiece(piece, message.data);
      }
      default:
        if (this.joined !== undefined) this.link.destroy();
    }
  }

  private get speedTestBytes(): number {
    return this.options.speedTestBytes ?? 500_000;
  }

  /** Session behaviour §7: terms fit, then the speed test, then the invitation under the latest index. */
  private consider(): void {
    const offer = this.offers.at(-1);
    if (
      this.options.invites === false ||
      this.mode !== 'buy' ||
      offer === undefined ||
      !fits(offer.terms, this.options.terms)
    )
      return;
    if (this.speedTestBytes > 0 && this.speedTestMs === undefined) {
      if (this.testedAtMs !== undefined) return;
      this.testedAtMs = performance.now();
      return this.link.send({ type: 'speedTestRequest', size: this.speedTestBytes });
    }
    this.link.send({ type: 'join_contract', index: offer.index });
  }
}

/** The four-way test; the settlement fee is not compared (wire protocol §6). */
function fits(seller: SellerTerms, buyer: BuyerTerms): boolean {
  return (
    seller.minPrice <= buyer.maxPrice &&
    seller.minLock <= buyer.maxLock &&
    seller.maxSellers >= buyer.minNumberOfSellers &&
    seller.minContractFeePerKb <= buyer.maxContractFeePerKb
  );
}
