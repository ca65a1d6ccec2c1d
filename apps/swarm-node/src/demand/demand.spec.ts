import fc from 'fast-check';
import { MAX_REPORTED_BIDS, type BusResult } from '@seedfleet/bus';
import type { ConnectionEvent, Effect } from '@seedfleet/exchange';
import { createLogger } from '@seedfleet/service-kit';
import { describe, expect, it } from 'vitest';
import { BuyerTrack } from './buyer-track.js';
import { DemandBook, type TorrentDemand } from './demand-book.js';
import { DemandReports } from './demand-reports.js';

const infoHash = 'a'.repeat(40);
const idle: ConnectionEvent = { type: 'start' };
const effects = (...list: object[]): Effect[] => list as Effect[];
const buy = (maxPrice: bigint) => ({
  type: 'peer-mode',
  mode: { kind: 'buy', terms: { maxPrice } },
  previous: { kind: 'observe' },
});
const joining = { type: 'send', id: 1, message: { type: 'joining_contract' } };
const funded = { type: 'funding-announced' };

function watched(): { book: DemandBook; track: BuyerTrack } {
  const book = new DemandBook();
  return { book, track: new BuyerTrack(book, infoHash, () => 7n) };
}

describe('demand', () => {
  it('counts a buyer once, whatever it says, and its bids up to a bound', () => {
    const { book, track } = watched();
    for (const price of [5n, 5n, 6n, 7n, 8n, 9n]) track.onStep(idle, effects(buy(price)));
    const [demand] = book.take(10);
    expect(demand).toMatchObject({ infoHash, buyers: 1, buyersBelowPrice: 1 });
    expect(demand?.bids).toEqual([5n, 6n, 7n, 8n].map((priceSat) => ({ priceSat, count: 1 })));
    expect(book.take(10)).toEqual([]);
  });

  it('tells a sale from one lost after joining and one lost after the speed test', () => {
    const { book, track } = watched();
    track.onStep(idle, effects(buy(9n)));
    track.onSpeedTest(true);
    track.onStep(idle, effects(joining));
    track.onStep(idle, effects(funded));
    track.onClosed();
    const joined = new BuyerTrack(book, infoHash, () => 7n);
    joined.onSpeedTest(true);
    joined.onStep(idle, effects(joining));
    joined.onClosed();
    joined.onClosed();
    const tested = new BuyerTrack(book, infoHash, () => 7n);
    tested.onSpeedTest(true);
    tested.onClosed();
    const refused = new BuyerTrack(book, infoHash, () => 7n);
    refused.onSpeedTest(false);
    refused.onStep({ type: 'join-refused', invitation: 1 }, []);
    refused.onClosed();
    expect(book.take(1)).toMatchObject([
      {
        buyersBelowPrice: 0,
        speedTestsAnswered: 3,
        speedTestsRefused: 1,
        joined: 2,
        won: 1,
        lostAfterJoin: 1,
        lostAfterSpeedTest: 1,
        joinsRefused: 1,
      },
    ]);
  });

  it('keeps no more bids than it may report, and loses count of none', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(1n, 500n), { maxLength: 400 }), (prices) => {
        const book = new DemandBook();
        for (const price of prices) book.bid(infoHash, price);
        const [demand] = book.take(1);
        const bids = demand?.bids ?? [];
        const counted = bids.reduce((sum, { count }) => sum + count, 0) + (demand?.bidsUncounted ?? 0);
        return bids.length <= MAX_REPORTED_BIDS && counted === prices.length;
      }),
    );
  });

  it('repeats a report that was not acknowledged as it was, and counts on meanwhile', async () => {
    const book = new DemandBook();
    const sent: { seq: number; torrents: TorrentDemand[] }[] = [];
    let up = false;
    const request = (_contract: unknown, value: unknown): Promise<BusResult<unknown>> => {
      sent.push(value as (typeof sent)[number]);
      return Promise.resolve(up ? { ok: true, value: {} } : { ok: false, code: 'bus_timeout', detail: '' });
    };
    const bus = { request } as unknown as ConstructorParameters<typeof DemandReports>[0]['bus'];
    const reports = new DemandReports({ nodeId: 'node-1', bus, book, logger: createLogger('test', 'fatal') });
    book.count(infoHash, 'buyers');
    await reports.send();
    book.count(infoHash, 'buyers', 5);
    up = true;
    await reports.send();
    await reports.send();
    await reports.send();
    expect(sent.map(({ seq, torrents }) => [seq, torrents[0]?.buyers])).toEqual([
      [1, 1],
      [1, 1],
      [2, 5],
    ]);
  });
});
