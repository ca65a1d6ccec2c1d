import type { demandReport } from '@seedfleet/bus';
import { MAX_REPORTED_BIDS } from '@seedfleet/bus';
import { MAX_MONEY_SAT } from '@seedfleet/payment-channel';
import type { z } from 'zod';

export type TorrentDemand = z.output<typeof demandReport.request>['torrents'][number];
type Counters = Omit<TorrentDemand, 'infoHash' | 'bids'>;
export type Counter = keyof Counters;

interface Tally {
  readonly counters: { -readonly [name in Counter]: number };
  readonly bids: Map<bigint, number>;
}

/** Torrents counted between two reports; those beyond are not, so that a stranger's infohashes can't fill memory. */
const MAX_TORRENTS = 10_000;

/** What buyers asked for since the last report, per torrent: counters and a bounded histogram of bids. */
export class DemandBook {
  private tallies = new Map<string, Tally>();

  count(infoHash: string, counter: Counter, by = 1): void {
    const tally = this.tally(infoHash);
    if (tally !== undefined) tally.counters[counter] += by;
  }

  /** A buyer would pay up to so much for a piece. */
  bid(infoHash: string, maxPriceSat: bigint): void {
    const priceSat = maxPriceSat > MAX_MONEY_SAT ? MAX_MONEY_SAT : maxPriceSat;
    const tally = this.tally(infoHash);
    if (tally === undefined) return;
    const known = tally.bids.get(priceSat);
    if (known === undefined && tally.bids.size >= MAX_REPORTED_BIDS) tally.counters.bidsUncounted += 1;
    else tally.bids.set(priceSat, (known ?? 0) + 1);
  }

  /** What was counted, at most so many torrents of it; it is counted anew from here. */
  take(maxTorrents: number): TorrentDemand[] {
    return [...this.tallies].slice(0, maxTorrents).map(([infoHash, { counters, bids }]) => {
      this.tallies.delete(infoHash);
      return { infoHash, ...counters, bids: [...bids].map(([priceSat, count]) => ({ priceSat, count })) };
    });
  }

  private tally(infoHash: string): Tally | undefined {
    const known = this.tallies.get(infoHash);
    if (known !== undefined || this.tallies.size >= MAX_TORRENTS) return known;
    const fresh: Tally = { counters: { ...NOTHING }, bids: new Map() };
    this.tallies.set(infoHash, fresh);
    return fresh;
  }
}

const NOTHING: Counters = {
  buyers: 0,
  buyersBelowPrice: 0,
  bidsUncounted: 0,
  speedTestsAnswered: 0,
  speedTestsRefused: 0,
  lostAfterSpeedTest: 0,
  joinsRefused: 0,
  joined: 0,
  won: 0,
  lostAfterJoin: 0,
  sentBytes: 0,
  sentMs: 0,
};
