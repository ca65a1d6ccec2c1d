import type { ReferenceWallet } from '../chain/reference-wallet.js';
import { isGoodPiece, type Torrent } from '../bittorrent/torrent.js';
import type { BuyerLink } from './buyer-link.js';
import type { Contract, Share } from './contract.js';

/** Unanswered requests per seller (session behaviour §8). */
const DEPTH = 4;
/** The session's tick, on which pieces of lost sellers find a new one. */
const TICK_MS = 1_000;

/** Buys every piece of a torrent from the sellers of one contract, in the reference's order of actions. */
export class ReferenceDownload {
  readonly pieces = new Map<number, Buffer>();
  /** Pieces that failed their SHA-1. */
  bad = 0;
  private readonly unassigned: number[];
  private readonly sellers: BuyerLink[] = [];
  private readonly timer: NodeJS.Timeout;
  private finished = false;

  /**
   * @param payAtMost payments per seller before the buyer stops paying
   * @param only the pieces wanted; default: all
   */
  constructor(
    private readonly torrent: Torrent,
    private readonly payAtMost = Infinity,
    only: readonly number[] = Array.from({ length: torrent.pieces }, (_, piece) => piece),
  ) {
    this.unassigned = [...only];
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  get isComplete(): boolean {
    return this.unassigned.length === 0 && this.sellers.every(({ outstanding }) => outstanding.length === 0);
  }

  get content(): Buffer {
    return Buffer.concat([...this.pieces].sort(([a], [b]) => a - b).map(([, data]) => data));
  }

  /** Broadcasts the contract and then tells every seller, each followed by its first requests. */
  async begin(wallet: ReferenceWallet, contract: Contract, links: readonly BuyerLink[]): Promise<void> {
    await wallet.broadcast(contract.transaction);
    this.proceed(contract.shares, links);
  }

  /** As `begin`, for a contract that was never broadcast. */
  proceed(shares: readonly Share[], links: readonly BuyerLink[]): void {
    links.forEach((link, index) => {
      const share = shares[index];
      if (share === undefined) throw new Error('fewer shares than sellers');
      this.sellers.push(link);
      link.onPiece = (piece, data) => this.onPiece(link, piece, data);
      link.onLost = () => this.onLost(link);
      link.ready(share.channel, share.contractKey.privateKey, this.unassigned.splice(0, DEPTH));
    });
  }

  private onPiece(link: BuyerLink, piece: number, data: Uint8Array): void {
    if (!isGoodPiece(this.torrent, piece, data)) {
      this.bad += 1;
      return link.link.destroy();
    }
    this.pieces.set(piece, Buffer.from(data));
    if (this.finished || link.payments >= this.payAtMost) return;
    link.pay();
    this.fill(link);
    if (this.isComplete) this.finish();
  }

  private fill(link: BuyerLink): void {
    const free = DEPTH - link.outstanding.length;
    if (free > 0) link.request(...this.unassigned.splice(0, free));
  }

  private onLost(link: BuyerLink): void {
    this.unassigned.unshift(...link.outstanding.splice(0));
    const at = this.sellers.indexOf(link);
    if (at >= 0) this.sellers.splice(at, 1);
  }

  private tick(): void {
    if (this.finished) return;
    for (const link of this.sellers) if (link.payments < this.payAtMost) this.fill(link);
  }

  /** Compensates for what is outstanding, and leaves buy mode: complete, or everything else came from elsewhere. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    clearInterval(this.timer);
    for (const link of this.sellers) link.finish();
  }
}
