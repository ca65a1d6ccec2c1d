import { createHash, randomBytes } from 'node:crypto';
import { createPeerId, dialPeer, PieceSet, type Metainfo, type Peer } from '@seedfleet/bittorrent';
import {
  createConnection,
  DEFAULT_SELLER_LIMITS,
  inboundLimitBytes,
  stepConnection,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '@seedfleet/exchange';
import {
  bestEcdsa,
  derSignature,
  fromHex,
  p2shAddress,
  redeemScriptOf,
  type ChannelParameters,
} from '@seedfleet/payment-channel';
import { keyPairOf } from '@seedfleet/wallet';
import { encodeExtendedHandshake, encodeFrame, MESSAGE_ID, type SellerTerms } from '@seedfleet/wire';
import type { PreparedPayment, ProofChain } from '../world/chain.js';
import { acknowledgedPayments } from './acknowledged.js';

const NETWORK = 'regtest';
const TERMS = { maxContractFeePerKb: 1_024n, maxLock: 20, maxPrice: 1_000_000n, minNumberOfSellers: 1 };
/** What the last settlement's change needs so as not to be dust. */
const MARGIN_SAT = 600n;
const OPEN_REQUESTS = 4;
/** A script waits no longer for its buyer, whatever was killed. */
const PATIENCE_MS = 60_000;

/** Moments of a purchase at which a proof can act. */
export type BuyerMoment = 'joined' | 'funded' | `piece:${number}` | `paid:${number}` | 'finished';

export interface BuyerScript {
  /** Pieces to request; default all. */
  readonly pieces?: number;
  /** Pieces to pay; default all that are received. */
  readonly payAtMost?: number;
  /** Payments that the deposit covers beyond all pieces: 0 makes the last piece's payment reach kCap. Default 1. */
  readonly spare?: number;
  /** Whether the funding transaction is sent before `ready`; default yes. */
  readonly broadcastFunding?: boolean;
  /** Whether it keeps its connection when it has bought what it wants. */
  readonly stay?: boolean;
  /** Told of each moment, in order. What was received meanwhile waits until it is done. */
  readonly at?: (moment: BuyerMoment, buyer: ProofBuyer) => void | Promise<void>;
}

/** A buyer that follows a script and remembers what the seller's behaviour has acknowledged. */
export class ProofBuyer {
  readonly contract = keyPairOf(new Uint8Array(randomBytes(32)));
  readonly payout = keyPairOf(new Uint8Array(randomBytes(32)));
  /** Once joined. */
  parameters: ChannelParameters | undefined;
  funding: PreparedPayment | undefined;
  /** Pieces received, good ones all of them. */
  received = 0;
  /** The highest payment that was signed and handed to the socket. */
  paid = 0;
  /** Why the connection ended; undefined while it stands. */
  closed: string | undefined;
  private peer: Peer | undefined;
  private state!: ConnectionState;
  private requested = 0;
  private work: Promise<void> = Promise.resolve();
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly chain: ProofChain,
    readonly metainfo: Metainfo,
    readonly script: BuyerScript = {},
  ) {}

  /** The payment that must at least be settled: a further piece arrived for it. */
  get acknowledged(): number {
    return Math.min(this.paid, acknowledgedPayments(this.received));
  }

  private get wanted(): number {
    return Math.min(this.script.pieces ?? Infinity, this.metainfo.pieceCount);
  }

  /** Connects and plays the script to its end: everything wanted is bought, or the connection has ended. */
  async play(address: { readonly host: string; readonly port: number }): Promise<void> {
    if (!(await this.connect(address))) return;
    const payments = Math.min(this.script.payAtMost ?? Infinity, this.wanted);
    await this.until(() => this.funding !== undefined && this.received >= this.wanted && this.paid >= payments);
    if (this.closed !== undefined) return;
    await this.tell('finished');
    if (this.script.stay !== true) await this.leave();
  }

  /** False when nobody listens there. */
  async connect({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
    const dialled = await dialPeer({
      host,
      port,
      peerId: createPeerId(),
      torrent: {
        infoHash: this.metainfo.infoHash,
        pieceCount: this.metainfo.pieceCount,
        have: new PieceSet(this.metainfo.pieceCount),
        extended: { limitBytes: (id) => (this.peer === undefined ? 256 : inboundLimitBytes(this.state, id)) },
      },
    });
    if (!dialled.ok) {
      this.closed = dialled.error;
      return false;
    }
    this.begin(dialled.value);
    return true;
  }

  /** Waits for something to become true of this buyer; also returns when its connection has ended. */
  async until(condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (!condition() && this.closed === undefined) {
      if (Date.now() > deadline) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        this.waiting.add(wake);
      });
    }
    await this.work;
    return condition();
  }

  /** Ends the connection once what is queued has left. */
  async leave(): Promise<void> {
    this.closed ??= 'left';
    await this.peer?.finish();
  }

  /** Requests one more piece, beyond the script. */
  requestMore(): void {
    this.inTurn(() => this.step({ type: 'request-piece', piece: this.requested++ }));
  }

  private begin(peer: Peer): void {
    const { metainfo } = this;
    this.peer = peer;
    this.state = createConnection({
      network: NETWORK,
      torrent: {
        pieces: metainfo.pieceCount,
        pieceLengthBytes: metainfo.pieceLengthBytes,
        totalBytes: metainfo.totalLengthBytes,
      },
      peer: { peerId: peer.remotePeerId },
      ecdsa: bestEcdsa(),
      seller: DEFAULT_SELLER_LIMITS,
    });
    peer.on('extendedHandshake', (payload) => this.receive(0, payload));
    peer.on('extended', (id, payload) => this.receive(id, payload));
    peer.on('closed', (reason) => {
      this.closed ??= reason;
      this.wake();
    });
    peer.start();
    this.step({ type: 'start' });
    this.step({ type: 'buy', terms: TERMS });
  }

  /** In order, after what the script does at the moments before. */
  private receive(id: number, payload: Uint8Array): void {
    const kept = payload.slice();
    this.inTurn(() => this.step({ type: 'received', id, payload: kept }));
  }

  private inTurn(next: () => void | Promise<void>): void {
    this.work = this.work.then(next).catch((failure: unknown) => {
      this.closed ??= `script failed: ${String(failure)}`;
    });
    void this.work.then(() => this.wake());
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
  }

  private tell(moment: BuyerMoment): Promise<void> {
    const { at } = this.script;
    if (at === undefined) return Promise.resolve();
    this.inTurn(() => at(moment, this));
    return this.work;
  }

  private step(event: ConnectionEvent): void {
    if (this.closed !== undefined) return;
    for (const effect of stepConnection(this.state, event).effects) this.carryOut(effect);
  }

  private carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'send-handshake':
        return void this.peer?.sendExtendedHandshake(encodeExtendedHandshake({ kind: effect.kind }));
      case 'send': {
        const frame = encodeFrame(effect.message, { ...MESSAGE_ID, [effect.message.type]: effect.id });
        return void this.peer?.sendFrame(frame.header, frame.body);
      }
      case 'close':
        this.closed ??= effect.code;
        return void this.peer?.finish();
      case 'offer':
        return this.step({ type: 'invite' });
      case 'seller-joined':
        void this.tell('joined');
        return this.inTurn(() => this.fund(effect.terms, effect.sellerPublicKey, effect.sellerKeyHash));
      case 'piece-received':
        return this.onPiece(effect.piece, effect.data);
      case 'payment-sent':
        this.paid = effect.paymentNumber;
        return void this.tell(`paid:${effect.paymentNumber}`);
      default:
    }
  }

  private async fund(terms: SellerTerms, sellerPublicKey: Uint8Array, sellerKeyHash: Uint8Array): Promise<void> {
    if (this.closed !== undefined) return;
    const { contract, payout } = this;
    const lockUnits = terms.minLock;
    const redeemScript = redeemScriptOf({ sellerPublicKey, buyerPublicKey: contract.publicKey, lockUnits });
    const payments = BigInt(this.metainfo.pieceCount + (this.script.spare ?? 1));
    const valueSat = terms.minPrice * payments + MARGIN_SAT;
    const funding = await this.chain.prepare(p2shAddress(redeemScript, NETWORK), valueSat);
    this.parameters = {
      network: NETWORK,
      priceSat: terms.minPrice,
      lockUnits,
      settlementFeeSat: terms.settlementFee,
      fundingValueSat: valueSat,
      fundingOutpoint: { txid: fromHex(funding.txid), index: funding.vout },
      buyerPublicKey: contract.publicKey,
      sellerPublicKey,
      buyerKeyHash: payout.keyHash,
      sellerKeyHash,
    };
    if (this.script.broadcastFunding !== false) await this.chain.send(funding.hex);
    this.funding = funding;
    this.step({
      type: 'contract-ready',
      funding: {
        valueSat,
        outpoint: this.parameters.fundingOutpoint,
        buyerPublicKey: contract.publicKey,
        buyerKeyHash: payout.keyHash,
        sign: (digest) => derSignature(bestEcdsa().sign(digest, contract.privateKey)),
      },
    });
    void this.tell('funded');
    this.fill();
  }

  private fill(): void {
    while (this.requested < this.wanted && this.requested - this.received < OPEN_REQUESTS) {
      this.step({ type: 'request-piece', piece: this.requested++ });
    }
  }

  private onPiece(piece: number, data: Uint8Array): void {
    const expected = this.metainfo.pieceHashes.subarray(piece * 20, piece * 20 + 20);
    if (!createHash('sha1').update(data).digest().equals(expected)) throw new Error(`piece ${piece} is bad`);
    this.received += 1;
    void this.tell(`piece:${this.received}`);
    if (this.paid >= (this.script.payAtMost ?? Infinity)) return;
    this.step({ type: 'piece-good', piece });
    this.fill();
  }
}
