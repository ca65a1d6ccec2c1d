import { HOLD_SELL_MS, type ConnectionEvent, type ConnectionStatus, type Effect } from '@seedfleet/exchange';
import type { BuyerTerms, SellerTerms } from '@seedfleet/wire';
import type { TorrentOnSale } from '../content/shelf.js';
import type { Quotes } from './quotes.js';

/** The terms that one connection hears: when they are sent, and when they are sent anew. */
export class Offering {
  private announced: SellerTerms | undefined;
  private buyerTerms: BuyerTerms | undefined;
  private owed = false;
  private holdTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly quotes: Quotes,
    private readonly torrent: TorrentOnSale,
    private readonly host: {
      readonly role: () => ConnectionStatus['role'];
      readonly dispatch: (event: ConnectionEvent) => void;
      /** A joined peer's quote has been left behind by the fee. */
      readonly onStale: () => void;
    },
  ) {}

  /** `sell` waits for the peer's `buy`, for a while. */
  hold(): void {
    // A peer that re-installs begins anew, as often as it likes.
    clearTimeout(this.holdTimer);
    this.holdTimer = setTimeout(() => this.host.dispatch({ type: 'hold-expired' }), HOLD_SELL_MS);
  }

  /** The exchange wants terms: now, or as soon as there are any. */
  onWanted(buyerTerms: BuyerTerms | undefined): void {
    clearTimeout(this.holdTimer);
    const terms = this.quotes.termsFor(this.torrent.offer, buyerTerms);
    if (terms !== undefined) return this.quote(terms);
    this.owed = true;
  }

  onAnnounced(terms: SellerTerms): void {
    this.announced = terms;
  }

  /** The fee or the offer may have changed. Joined and funded peers keep their terms; stale joins are let go. */
  onNewTerms(): void {
    const fresh = this.quotes.termsFor(this.torrent.offer, this.buyerTerms);
    if (fresh === undefined) return;
    if (this.owed) return this.quote(fresh);
    if (this.announced === undefined) return;
    const role = this.host.role();
    if (role === 'selling' && this.quotes.isWorthRevising(this.announced, fresh)) return this.quote(fresh);
    if (role === 'joined' && this.quotes.isStale(this.announced, fresh)) this.host.onStale();
  }

  /**
   * A buyer acts on the next `sell`, not on one it knows from before it was buying (session behaviour §7): a peer that
   * turns buyer hears the terms again, under the next index. So does one whose new `buy` calls for other terms.
   */
  onPeerMode({ mode, previous }: Extract<Effect, { type: 'peer-mode' }>): void {
    if (mode.kind !== 'buy') return;
    this.buyerTerms = mode.terms;
    const { announced } = this;
    if (announced === undefined || this.host.role() !== 'selling') return;
    const fresh = this.quotes.termsFor(this.torrent.offer, mode.terms);
    if (fresh === undefined) return;
    const turnedBuyer = previous.kind === 'observe' || previous.kind === 'sell';
    if (turnedBuyer || this.quotes.isWorthRevising(announced, fresh)) this.quote(fresh);
  }

  stop(): void {
    clearTimeout(this.holdTimer);
  }

  private quote(terms: SellerTerms): void {
    this.owed = false;
    this.host.dispatch({ type: 'quote', terms });
  }
}
