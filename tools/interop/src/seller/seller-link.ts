import type { Socket } from 'node:net';
import {
  bestEcdsa,
  prepareSettlement,
  signedSettlement,
  signSettlement,
  verifyBuyerSignature,
  type ChannelParameters,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import { readExtendedHandshake, type BuyerTerms, type Message } from '@seedfleet/wire';
import { extendedFrame, extendedHandshake, handshake, NODE_EXAMPLE, PLAIN } from '../bittorrent/libtorrent.js';
import { PeerLink } from '../bittorrent/peer-link.js';
import { newKeyPair } from '../chain/reference-wallet.js';
import type { Claim, SellerOptions } from './reference-seller.js';

/** The reference's unpaid window: nominally 4, in effect 5 (session behaviour §4). */
const WINDOW = 5;
const JOIN_AFTER_MS = 1_000;
const MAX_SPEED_TEST_BYTES = 2_000_000;
const ecdsa = bestEcdsa();

type Phase = 'silent' | 'ready' | 'invited' | 'joined' | 'serving' | 'over';

/** One connection of a reference-shaped seller. `violation` names why it closed, in the reference's words. */
export class SellerLink {
  readonly link: PeerLink;
  phase: Phase = 'silent';
  violation: string | undefined;
  /** Requests in the order they came; duplicates are served again. */
  readonly requests: number[] = [];
  delivered = 0;
  payments = 0;
  buyerTerms: BuyerTerms | undefined;
  buyerClient: string | undefined;

  private index = 0;
  private terms;
  private speedTested = false;
  private readonly contractKey = newKeyPair();
  private readonly payoutKey = newKeyPair();
  private channel: ChannelParameters | undefined;
  private template: SettlementTemplate | undefined;
  private lastSignature: Uint8Array | undefined;

  constructor(
    socket: Socket,
    private readonly options: SellerOptions,
    private readonly onClaim: (claim: Claim) => void,
  ) {
    this.terms = options.terms;
    this.link = new PeerLink(socket);
    this.link.onHandshake = () => this.open();
    this.link.onExtendedHandshake = (body) => this.onExtendedHandshake(body);
    this.link.onMessage = (message) => this.onMessage(message);
    this.link.onClosed = () => this.claim();
  }

  /** As captured: handshake, extended handshake, have all, unchoke and the allowed-fast set in one go. */
  private open(): void {
    const { torrent } = this.options;
    const body = extendedHandshake(NODE_EXAMPLE, 'started', { metadataBytes: torrent.file.length - 8, seed: true });
    this.link.write(
      handshake(torrent.infoHash, NODE_EXAMPLE, false),
      extendedFrame(0, body),
      PLAIN.haveAll,
      PLAIN.unchoke,
    );
  }

  private onExtendedHandshake(body: Uint8Array): void {
    const read = readExtendedHandshake(body);
    if (!read.ok) return;
    this.buyerClient = read.client;
    if (read.extension.kind !== 'install') return;
    if (this.phase !== 'silent') return this.close('full mapping repeated');
    this.phase = 'ready';
    this.announce();
    const fast = Array.from({ length: Math.min(10, this.options.torrent.pieces) }, (_, piece) => piece);
    this.link.write(...fast.map((piece) => PLAIN.allowedFast(piece)));
  }

  private announce(): void {
    this.link.send({ type: 'sell', terms: this.terms, index: this.index });
  }

  private onMessage(message: Message): void {
    switch (message.type) {
      case 'buy':
      case 'observe':
      case 'sell':
        return this.onMode(message);
      case 'speedTestRequest':
        return this.onSpeedTest(message.size);
      case 'join_contract':
        return this.onInvitation(message.index);
      case 'ready':
        return this.onReady(message);
      case 'request_full_piece':
        return this.onRequest(message.piece);
      case 'payment':
        return this.onPayment(message.signature);
      default:
        return; // what a state does not expect is dropped
    }
  }

  private onMode(message: Message): void {
    this.buyerTerms = message.type === 'buy' ? message.terms : undefined;
    if (this.phase === 'serving') return this.close('buyer_interrupted_payment');
    if (this.phase === 'invited' || this.phase === 'joined') this.phase = 'ready';
  }

  private onSpeedTest(size: number): void {
    if (this.phase !== 'ready') return;
    if (this.buyerTerms === undefined) return this.close('malformed');
    if (this.speedTested) return this.close('buyer_multiple_speed_tests');
    if (size > MAX_SPEED_TEST_BYTES) return this.close('buyer_speed_test_payload_requested_too_large');
    this.speedTested = true;
    this.link.send({ type: 'speedTestPayload', data: new Uint8Array(size).fill(0xff) });
  }

  private onInvitation(index: number): void {
    if (this.phase !== 'ready') return;
    if (this.buyerTerms === undefined) return this.close('malformed');
    if (index !== this.index) return;
    const { revisedTerms } = this.options;
    if (revisedTerms !== undefined && this.index === 0) {
      this.index = 1;
      this.terms = revisedTerms;
      return this.announce();
    }
    this.phase = 'invited';
    if (this.options.hostile === 'never-join') return;
    setTimeout(() => this.join(), this.options.joinAfterMs ?? JOIN_AFTER_MS);
  }

  private join(): void {
    if (this.phase !== 'invited') return;
    this.phase = 'joined';
    this.link.send({
      type: 'joining_contract',
      sellerPublicKey: this.announcedKey,
      sellerKeyHash: this.payoutKey.keyHash,
    });
  }

  /** x = 2^256 − 1 is beyond the field: no such point. */
  private get announcedKey(): Uint8Array {
    const wrong = this.options.hostile === 'wrong-key';
    return wrong ? new Uint8Array(33).fill(0xff).fill(0x02, 0, 1) : this.contractKey.publicKey;
  }

  /** Believed as it is. */
  private onReady(ready: Extract<Message, { type: 'ready' }>): void {
    if (this.phase !== 'joined') return;
    if (this.options.hostile === 'close-when-funded') return this.link.end();
    this.channel = {
      network: this.options.network,
      priceSat: this.terms.minPrice,
      lockUnits: this.terms.minLock,
      settlementFeeSat: this.terms.settlementFee,
      fundingValueSat: ready.value,
      fundingOutpoint: { txid: ready.outpoint.txid.slice(), index: ready.outpoint.index },
      buyerPublicKey: ready.buyerPublicKey.slice(),
      sellerPublicKey: this.announcedKey,
      buyerKeyHash: ready.buyerKeyHash.slice(),
      sellerKeyHash: this.payoutKey.keyHash,
    };
    this.template = prepareSettlement(this.channel);
    this.phase = 'serving';
  }

  private onRequest(piece: number): void {
    if (this.phase !== 'serving') return;
    if (piece < 0 || piece >= this.options.torrent.pieces) return this.close('buyer_requested_invalid_piece');
    this.requests.push(piece);
    this.deliver();
  }

  private onPayment(signature: Uint8Array): void {
    if (this.phase !== 'serving' || this.template === undefined) return;
    if (this.payments >= this.requests.length) return this.close('buyer_message_overflow');
    if (!verifyBuyerSignature(this.template, this.payments + 1, signature, ecdsa).ok) {
      return this.close('buyer_sent_invalid_payment');
    }
    this.payments += 1;
    this.lastSignature = signature.slice();
    if (this.options.hostile === 'settle-early' && this.payments === 3) this.settle();
    this.deliver();
  }

  private deliver(): void {
    const { vanishAfter = Infinity, hostile, delayMs } = this.options;
    while (this.delivered < this.requests.length && this.delivered - this.payments < WINDOW) {
      if (this.delivered >= vanishAfter) return this.link.end();
      if (hostile === 'stall' && this.delivered >= 2) return;
      const piece = this.pieceAt(this.requests[this.delivered]!);
      this.delivered += 1;
      const copies = hostile === 'too-many-pieces' ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        if (delayMs === undefined) this.link.send({ type: 'full_piece', data: piece });
        else this.inTurn(delayMs, () => this.link.send({ type: 'full_piece', data: piece }));
      }
    }
  }

  private turn: Promise<void> = Promise.resolve();

  private inTurn(pauseMs: number, work: () => void): void {
    this.turn = this.turn.then(() => new Promise((resolve) => setTimeout(resolve, pauseMs))).then(work);
  }

  private pieceAt(index: number): Uint8Array {
    const { torrent, content, hostile } = this.options;
    const from = index * torrent.pieceLengthBytes;
    const data = content.subarray(from, from + torrent.pieceLengthBytes);
    return hostile === 'bad-piece' && this.delivered === 2 ? data.map((byte) => byte ^ 1) : data;
  }

  private close(violation: string): void {
    this.violation ??= violation;
    this.link.end();
  }

  /** "Claim last payment", at the end of the connection for whatever reason. */
  private claim(): void {
    this.phase = 'over';
    this.settle();
  }

  private settle(): void {
    const { channel, template, lastSignature, payments } = this;
    if (channel === undefined || template === undefined || lastSignature === undefined) return;
    const own = signSettlement(template, payments, this.contractKey.privateKey, ecdsa);
    const { bytes } = signedSettlement(channel, payments, lastSignature, own);
    this.onClaim({ channel, k: payments, hex: Buffer.from(bytes).toString('hex') });
  }
}
