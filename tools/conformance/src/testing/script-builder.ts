import { bestEcdsa, derSignature, prepareSettlement, toHex, type ChannelParameters } from '@seedfleet/payment-channel';
import {
  encodeExtendedHandshake,
  encodeFrame,
  encodePayload,
  MESSAGE_ID,
  type BuyerTerms,
  type Message,
  type MessageIds,
  type SellerTerms,
} from '@seedfleet/wire';

/**
 * Builds scenarios in the form of the reference's, for behaviour that its own vectors do not show but its description
 * does (state machine §3, §4).
 */

const ecdsa = bestEcdsa();

export const key = (byte: number): { secret: Uint8Array; pub: Uint8Array } => {
  const secret = new Uint8Array(32).fill(byte);
  const pub = ecdsa.publicKeyFor(secret);
  if (pub === undefined) throw new Error('no key');
  return { secret, pub };
};

export const SELLER_TERMS: SellerTerms = {
  minPrice: 1000n,
  minLock: 1,
  maxSellers: 5,
  minContractFeePerKb: 2000n,
  settlementFee: 500n,
};

export const BUYER_TERMS: BuyerTerms = {
  maxPrice: 1000n,
  maxLock: 5,
  minNumberOfSellers: 1,
  maxContractFeePerKb: 20_000n,
};

export const SELL: Message = { type: 'sell', terms: SELLER_TERMS, index: 0 };
export const BUY: Message = { type: 'buy', terms: BUYER_TERMS };
export const JOIN: Message = { type: 'join_contract', index: 0 };
export const JOINING: Message = {
  type: 'joining_contract',
  sellerPublicKey: key(0x11).pub,
  sellerKeyHash: new Uint8Array(20).fill(0x11),
};

export const channel = (value = 20_000n, terms = SELLER_TERMS): ChannelParameters => ({
  network: 'regtest',
  priceSat: terms.minPrice,
  lockUnits: terms.minLock,
  settlementFeeSat: terms.settlementFee,
  fundingValueSat: value,
  fundingOutpoint: { txid: new Uint8Array(32).fill(7), index: 1 },
  buyerPublicKey: key(0x33).pub,
  sellerPublicKey: key(0x11).pub,
  buyerKeyHash: new Uint8Array(20).fill(0xdd),
  sellerKeyHash: new Uint8Array(20).fill(0x11),
});

export const readyOf = ({
  fundingValueSat,
  fundingOutpoint,
  buyerPublicKey,
  buyerKeyHash,
}: ChannelParameters): Message => ({
  type: 'ready',
  value: fundingValueSat,
  outpoint: fundingOutpoint,
  buyerPublicKey,
  buyerKeyHash,
});

export const payment = (k: number, parameters = channel()): Message => ({
  type: 'payment',
  signature: derSignature(ecdsa.sign(prepareSettlement(parameters).digest(k), key(0x33).secret)),
});

export const request = (piece: number): Message => ({ type: 'request_full_piece', piece });

const PIECES = 13;
const PIECE_BYTES = 16_384;

/** One scenario being written down. */
export class ScriptBuilder {
  readonly #steps: object[] = [];
  readonly #events: object[] = [];
  #closed = false;
  #settlements: object[] = [];

  constructor(
    readonly reference: 'seller' | 'buyer' = 'seller',
    reserved = '0000000000100000',
  ) {
    const handshake = `13${toHex(new TextEncoder().encode('BitTorrent protocol'))}${reserved}${'ab'.repeat(20)}`;
    this.#steps.push({
      send: 'bt_handshake',
      hex: `${handshake}${toHex(new TextEncoder().encode('-PY0001-xxxxxxxxxxxx'))}`,
    });
  }

  sendHandshake(bencoded: string | Uint8Array = encodeExtendedHandshake({ kind: 'install' })): this {
    const body = typeof bencoded === 'string' ? Uint8Array.from(Buffer.from(bencoded, 'latin1')) : bencoded;
    return this.sendRaw(0, body, 'ext_handshake');
  }

  sendRaw(id: number, payload: Uint8Array, what = 'raw'): this {
    const head = Buffer.alloc(6);
    head.writeUInt32BE(2 + payload.length);
    head[4] = 20;
    head[5] = id;
    this.#steps.push({ send: what, hex: Buffer.concat([head, payload]).toString('hex') });
    return this;
  }

  send(message: Message, ids: MessageIds = MESSAGE_ID): this {
    const { header, body } = encodeFrame(message, ids);
    this.#steps.push({
      send: `js_${message.type}`,
      hex: Buffer.concat([header, body ?? new Uint8Array()]).toString('hex'),
    });
    if (message.type === 'payment') this.#events.push({ event: 'payment_received' });
    return this;
  }

  recvHandshake(kind: 'install' | 'uninstall' = 'install'): this {
    const m = Object.fromEntries(
      Object.entries(MESSAGE_ID).map(([name, id]) => [`js_${name}`, kind === 'install' ? id : 0]),
    );
    this.#steps.push({ recv: 'ext_handshake', cc: '4.0', m });
    return this;
  }

  recv(message: Message, ids: MessageIds = MESSAGE_ID): this {
    this.#steps.push({ recv: `js_${message.type}`, id: ids[message.type], payload: toHex(encodePayload(message)) });
    if (message.type === 'payment') this.#events.push({ event: 'payment_sent' });
    return this;
  }

  /** A piece, of which only the length prefix was written down. */
  recvPiece(bytes = PIECE_BYTES): this {
    return this.recvPieceUnder(MESSAGE_ID, bytes);
  }

  recvPieceUnder(ids: MessageIds, bytes = PIECE_BYTES): this {
    const prefix = bytes.toString(16).padStart(8, '0');
    this.#steps.push({ recv: 'js_full_piece', id: ids.full_piece, payload: `${prefix}..(${bytes + 4})` });
    return this;
  }

  sendPiece(piece: 'ok' | 'MISMATCH', bytes = PIECE_BYTES): this {
    this.#events.push({ event: 'piece_received', sha1: piece });
    return this.sendShort({ type: 'full_piece', data: new Uint8Array(bytes) });
  }

  /** Writes a frame down as the reference's vectors do: shortened. */
  sendShort(message: Message): this {
    const { header } = encodeFrame(message);
    this.#steps.push({ send: `js_${message.type}`, hex: `${toHex(header)}..` });
    return this;
  }

  mark(note: object): this {
    this.#steps.push(note);
    return this;
  }

  event(event: object): this {
    this.#events.push(event);
    return this;
  }

  closed(): this {
    this.#steps.push({ recv: 'CONNECTION CLOSED BY REFERENCE' });
    this.#closed = true;
    return this;
  }

  settled(payments: number, priceSat = 1000): this {
    this.#settlements.push({ numberOfPayments: `${payments}`, amountPaid: `${payments * priceSat}`, error: null });
    return this;
  }

  /** A payment that the reference did not count. */
  withoutLastPayment(): this {
    this.#events.splice(
      this.#events.findLastIndex((event) => 'event' in event && event.event === 'payment_received'),
      1,
    );
    return this;
  }

  build(name: string): object {
    return {
      name,
      reference: this.reference,
      description: name,
      steps: this.#steps,
      crashed: false,
      events: this.#events,
      connectionClosedByReference: this.#closed,
      settlements: this.#settlements,
    };
  }
}

export const FILE_META = { pieces: PIECES, pieceLength: PIECE_BYTES, network: 'regtest' };

/** A seller that has greeted a buyer, and then one that has joined it. */
export const greeted = (buy: Message = BUY): ScriptBuilder =>
  new ScriptBuilder().sendHandshake().recvHandshake().send(buy).recv(SELL);

export const joined = (): ScriptBuilder => greeted().send(JOIN).recv(JOINING);

export const serving = (value?: bigint): ScriptBuilder => joined().send(readyOf(channel(value)));
