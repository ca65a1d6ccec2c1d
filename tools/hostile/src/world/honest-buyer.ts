import { BuyerLink, contractFor, desktopTerms, isGoodPiece, ReferenceWallet, until } from '@seedfleet/interop';
import { mine } from '@seedfleet/fleet';
import { sourceAddress } from './sources.js';
import type { Target } from './target.js';

/** More than it can take while the suite lasts: a quarter of an hour. So much wants three confirmations. */
const PIECES = 36_000n;
const FEES_SAT = 10_000n;
const CONFIRMATIONS = 3;
const PAUSE_MS = 25;
const BEGIN_MS = 60_000;
/** Any price that an operator may ask. */
const MAX_PRICE_SAT = 1_000_000n;

/** What an honest buyer noticed over a while. */
export interface Notice {
  readonly pieces: number;
  readonly slowestMs: number;
  /** Times that its connection was lost. */
  readonly lost: number;
}

/** Buys one piece after the other beside the hostile ones, from a subnet of its own, and notes how long each takes. */
export class HonestBuyer {
  private link: BuyerLink | undefined;
  private timer: NodeJS.Timeout | undefined;
  private askedAtMs: number | undefined;
  private next = 0;
  private pieces = 0;
  private slowestMs = 0;
  private lost = 0;
  private stopped = false;

  constructor(private readonly target: Target) {}

  /** Resolves once it has bought some pieces. */
  async start(): Promise<void> {
    await this.open();
    await until('pieces of the honest buyer', () => this.pieces >= 20, BEGIN_MS);
    this.take();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.link?.link.destroy();
  }

  /** What was noticed since the last time; a piece that is being waited for counts as slow as it is by now. */
  take(): Notice {
    const waiting = this.askedAtMs === undefined ? 0 : performance.now() - this.askedAtMs;
    const notice = { pieces: this.pieces, slowestMs: Math.max(this.slowestMs, waiting), lost: this.lost };
    this.pieces = this.slowestMs = this.lost = 0;
    return notice;
  }

  private async open(): Promise<void> {
    const { target } = this;
    const { money, torrent } = target;
    if (money === undefined) throw new Error('an honest buyer needs money');
    const link = new BuyerLink({
      address: target.address,
      torrent,
      terms: desktopTerms(MAX_PRICE_SAT),
      speedTestBytes: 0,
      ...sourceAddress(target, 200, 1),
    });
    this.link = link;
    await until('a seller for the honest buyer', () => link.joined, BEGIN_MS);
    // Larger coins than the others spend.
    const wallet = new ReferenceWallet(money.rpcUrl);
    const joined = link.joined!;
    const valueSat = joined.terms.minPrice * PIECES;
    await wallet.ensure(1, valueSat + FEES_SAT);
    const contract = contractFor(wallet, target.network, [joined], torrent.pieces, { valueSat });
    await wallet.broadcast(contract.transaction);
    await mine(money.rpcUrl, CONFIRMATIONS);
    const share = contract.shares[0]!;
    link.onPiece = (piece, data) => this.onPiece(link, piece, data);
    link.onLost = () => this.onLost();
    link.ready(share.channel, share.contractKey.privateKey, []);
    this.ask(link);
  }

  private ask(link: BuyerLink): void {
    if (this.stopped || link.isClosed) return;
    this.askedAtMs = performance.now();
    link.request(this.next++ % this.target.torrent.pieces);
  }

  private onPiece(link: BuyerLink, piece: number, data: Uint8Array): void {
    if (!isGoodPiece(this.target.torrent, piece, data)) throw new Error(`piece ${piece} is damaged`);
    if (this.askedAtMs !== undefined) this.slowestMs = Math.max(this.slowestMs, performance.now() - this.askedAtMs);
    this.askedAtMs = undefined;
    this.pieces += 1;
    link.pay();
    this.timer = setTimeout(() => this.ask(link), PAUSE_MS);
  }

  private onLost(): void {
    if (this.stopped) return;
    this.lost += 1;
    this.askedAtMs = undefined;
    void this.open().catch(() => undefined);
  }
}
