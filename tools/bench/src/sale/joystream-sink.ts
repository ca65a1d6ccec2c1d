import {
  bestEcdsa,
  derSignature,
  fromHex,
  prepareSettlement,
  redeemScriptOf,
  toHex,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import {
  decodeMessage,
  encodeExtendedHandshake,
  encodePayload,
  MESSAGE_ID,
  type Message,
  type SellerTerms,
} from '@seedfleet/wire';
import type { Joined } from './sink-orders.js';
import { PieceRun, SinkConnection, type ConnectionOptions } from './sink-connection.js';

const EXTENDED = 20;
const ecdsa = bestEcdsa();
const BUYER_SECRET = new Uint8Array(32).fill(0x42);
const BUYER_KEY_HASH = new Uint8Array(20).fill(0x42);
const GENEROUS_TERMS = { maxContractFeePerKb: 100_000n, maxLock: 144, maxPrice: 1_000_000n, minNumberOfSellers: 1 };

export interface JoystreamOptions extends ConnectionOptions {
  readonly paid: boolean;
  readonly run: ConstructorParameters<typeof PieceRun>[0];
  readonly onJoined: () => void;
  readonly onWarm: () => void;
  readonly onDone: () => void;
}

/** A buyer of whole pieces. It pays each with a fresh signature, in the order that the reference has: pay, then ask. */
export class JoystreamSink extends SinkConnection {
  joined: Joined | undefined;
  payments = 0;
  private readonly run: PieceRun;
  private terms: SellerTerms | undefined;
  private seller: { readonly publicKey: Uint8Array; readonly keyHash: Uint8Array } | undefined;
  private template: SettlementTemplate | undefined;
  private readonly outgoing: Buffer[] = [];

  constructor(private readonly settings: JoystreamOptions) {
    super(settings);
    this.run = new PieceRun(settings.run, settings, (piece) => this.queue({ type: 'request_full_piece', piece }));
  }

  get arrived(): number {
    return this.run.arrived;
  }

  /** Presents the funding; the first piece is asked for at once and comes when the seller is satisfied. */
  fund(txid: string, vout: number, valueSat: bigint): void {
    const { terms, seller } = this;
    if (terms === undefined || seller === undefined) throw new Error('funded before the seller joined');
    const buyerPublicKey = publicKey();
    const outpoint = { txid: fromHex(txid), index: vout };
    this.template = prepareSettlement({
      network: 'regtest',
      priceSat: terms.minPrice,
      lockUnits: terms.minLock,
      settlementFeeSat: terms.settlementFee,
      fundingValueSat: valueSat,
      fundingOutpoint: outpoint,
      buyerPublicKey,
      sellerPublicKey: seller.publicKey,
      buyerKeyHash: BUYER_KEY_HASH,
      sellerKeyHash: seller.keyHash,
    });
    this.queue({ type: 'ready', value: valueSat, outpoint, buyerPublicKey, buyerKeyHash: BUYER_KEY_HASH });
    this.run.warmUp();
    this.flush();
  }

  go(): void {
    this.run.go();
    this.flush();
  }

  protected onHandshake(): void {
    this.sendExtended(0, encodeExtendedHandshake({ kind: 'install' }));
  }

  protected onControl(body: Uint8Array): void {
    if (body[0] !== EXTENDED) return;
    const id = body[1] ?? 0;
    if (id === 0) return this.onSellerReady();
    const decoded = decodeMessage(id, body.subarray(2), ecdsa.isPoint);
    if (!decoded.ok) return this.settings.onFailure(`the seller sent nonsense: ${decoded.code}`);
    const { message } = decoded;
    if (message.type === 'sell' && this.terms === undefined) {
      this.terms = message.terms;
      this.queue({ type: 'join_contract', index: message.index });
      this.flush();
    } else if (message.type === 'joining_contract' && this.terms !== undefined) {
      this.onJoining(message.sellerPublicKey, message.sellerKeyHash, this.terms);
    }
  }

  protected onBulk(id: number, extendedId: number): void {
    if (id !== EXTENDED || extendedId !== MESSAGE_ID.full_piece) return;
    if (this.template !== undefined) this.pay(this.template);
    this.run.onPiece();
    this.flush();
  }

  private onSellerReady(): void {
    if (!this.settings.paid) this.run.warmUp();
    else this.queue({ type: 'buy', terms: GENEROUS_TERMS });
    this.flush();
  }

  private onJoining(sellerPublicKey: Uint8Array, sellerKeyHash: Uint8Array, terms: SellerTerms): void {
    this.seller = { publicKey: sellerPublicKey, keyHash: sellerKeyHash };
    const script = redeemScriptOf({ sellerPublicKey, buyerPublicKey: publicKey(), lockUnits: terms.minLock });
    this.joined = {
      redeemScript: toHex(script),
      priceSat: terms.minPrice.toString(),
      settlementFeeSat: terms.settlementFee.toString(),
    };
    this.settings.onJoined();
  }

  private pay(template: SettlementTemplate): void {
    this.payments += 1;
    const signature = derSignature(ecdsa.sign(template.digest(this.payments), BUYER_SECRET));
    this.queue({ type: 'payment', signature });
  }

  private queue(message: Message): void {
    const payload = encodePayload(message);
    const head = Buffer.alloc(6);
    head.writeUInt32BE(2 + payload.length);
    head.writeUInt8(EXTENDED, 4);
    head.writeUInt8(MESSAGE_ID[message.type], 5);
    this.outgoing.push(head, Buffer.from(payload));
  }

  /** What belongs together leaves in one write. */
  private flush(): void {
    if (this.outgoing.length > 0) this.send(Buffer.concat(this.outgoing.splice(0)));
  }
}

function publicKey(): Uint8Array {
  const key = ecdsa.publicKeyFor(BUYER_SECRET);
  if (key === undefined) throw new Error('the buyer has no key');
  return key;
}
