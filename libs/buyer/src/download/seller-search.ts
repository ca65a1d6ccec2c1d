import type { BuyerPhase } from '@seedfleet/exchange';

/** How long to look for enough sellers before giving up with exit code 3. */
export const SELLER_SEARCH_MS = 60_000;

/** Tells when the search for sellers has taken too long. It begins anew when a contract is given up. */
export class SellerSearch {
  private sinceMs: number | undefined;

  constructor(private readonly limitMs = SELLER_SEARCH_MS) {}

  /**
   * To be told after every step.
   * @returns whether the session has just begun to look for sellers.
   */
  follow(phase: BuyerPhase, nowMs: number): boolean {
    const begins = phase === 'inviting' && this.sinceMs === undefined;
    if (begins) this.sinceMs = nowMs;
    if (phase !== 'inviting') this.sinceMs = undefined;
    return begins;
  }

  isOver(nowMs: number): boolean {
    return this.sinceMs !== undefined && nowMs - this.sinceMs >= this.limitMs;
  }
}
