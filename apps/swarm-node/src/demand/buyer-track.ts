import type { ConnectionEvent, Effect } from '@seedfleet/exchange';
import type { DemandBook } from './demand-book.js';

/** Bids of one connection that count: a buyer may change its mind, but not fill the histogram alone. */
const MAX_BIDS = 4;

/** What one connection tells of demand: it looks on at the exchange and takes no part in it. */
export class BuyerTrack {
  private readonly bids = new Set<bigint>();
  private tested = false;
  private joined = false;
  private won = false;
  private closed = false;

  constructor(
    private readonly book: DemandBook,
    private readonly infoHash: string,
    /** Ours for a piece, now. */
    private readonly priceSat: () => bigint,
  ) {}

  /** Once per step of the exchange. */
  onStep(event: ConnectionEvent, effects: readonly Effect[]): void {
    if (event.type === 'join-refused') this.book.count(this.infoHash, 'joinsRefused');
    for (const effect of effects) {
      if (effect.type === 'peer-mode' && effect.mode.kind === 'buy') this.onBuy(effect.mode.terms.maxPrice);
      if (effect.type === 'send' && effect.message.type === 'joining_contract') this.onJoined();
      if (effect.type === 'funding-announced') this.onWon();
    }
  }

  onSpeedTest(answered: boolean): void {
    this.tested ||= answered;
    this.book.count(this.infoHash, answered ? 'speedTestsAnswered' : 'speedTestsRefused');
  }

  /** The connection ended: what was begun and not won is lost. */
  onClosed(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.joined && !this.won) this.book.count(this.infoHash, 'lostAfterJoin');
    else if (this.tested && !this.joined) this.book.count(this.infoHash, 'lostAfterSpeedTest');
  }

  private onBuy(maxPriceSat: bigint): void {
    if (this.bids.size === 0) {
      this.book.count(this.infoHash, 'buyers');
      if (maxPriceSat < this.priceSat()) this.book.count(this.infoHash, 'buyersBelowPrice');
    }
    if (this.bids.has(maxPriceSat) || this.bids.size >= MAX_BIDS) return;
    this.bids.add(maxPriceSat);
    this.book.bid(this.infoHash, maxPriceSat);
  }

  private onJoined(): void {
    if (!this.joined) this.book.count(this.infoHash, 'joined');
    this.joined = true;
  }

  private onWon(): void {
    if (!this.won) this.book.count(this.infoHash, 'won');
    this.won = true;
  }
}
