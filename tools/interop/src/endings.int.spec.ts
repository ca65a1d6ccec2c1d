import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Torrent } from './bittorrent/torrent.js';
import { ReferenceDownload } from './buyer/download.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const PIECES = 64;
const PRICE_SAT = 150n;
const content = noise(PIECES * PIECE, 3);

describe('a sale that ends early', () => {
  let floor: Floor;
  let torrent: Torrent;

  beforeAll(async () => {
    floor = Floor.at(inject('fleetState'));
    torrent = await floor.sell('sixty-four.bin', content, PIECE, { priceSat: String(PRICE_SAT) });
  });
  afterAll(() => floor.close());

  /** Pays so often and then dies. */
  async function buyAndDie(payments: number) {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent, payments);
    await download.begin(floor.wallet, contract, [buyer]);
    // One more piece shows that the last payment was taken.
    await until('the pieces', () => buyer.payments === payments && buyer.received > payments, 30_000);
    buyer.link.destroy();
    return contract.shares[0]!.channel;
  }

  it('is settled for exactly the payments of a buyer that was killed, down to kMin', async () => {
    const { kMin } = await floor.settles(torrent, await buyAndDie(20), 20);
    const channel = await buyAndDie(kMin ?? 0);
    expect(kMin).toBe(Number((546n + channel.settlementFeeSat) / PRICE_SAT) + 1);
    await floor.settles(torrent, channel, kMin ?? 0);
  });

  it('below kMin gives the change back, and below what a node relays nothing', async () => {
    // 313 bytes at 1 sat each: two payments of 150 sat are too few.
    const owed = await buyAndDie(3);
    await floor.settles(torrent, owed, 3);
    await floor.mine(5);
    await floor.becomes(torrent, owed, 'returned');
    const row = await floor.becomes(torrent, await buyAndDie(2), 'nothing-owed');
    expect(row).toMatchObject({ k: 2, stateReason: 'below-relay-minimum', settlementTxid: null });
  });

  it('without a payment owes nothing', async () => {
    const channel = await buyAndDie(0);
    const row = await floor.becomes(torrent, channel, 'nothing-owed');
    expect(row).toMatchObject({ k: 0, settlementTxid: null });
  });

  it('at the first payment, when it is signed for Bitcoin Cash, costs neither side anything', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer], { network: 'regtest_bitcoin_cash' });
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the close', () => buyer.isClosed);
    expect(buyer.payments).toBe(1);
    expect(download.pieces.size).toBe(1);
    const row = await floor.becomes(torrent, contract.shares[0]!.channel, 'nothing-owed');
    expect(row).toMatchObject({ k: 0, settlementTxid: null });
    // No penalty: the same address is served at once.
    expect((await floor.joined(torrent)).isClosed).toBe(false);
  });

  it('by a node that is killed is settled for the last payment that was answered', async () => {
    const buyer = await floor.joined(torrent, { address: floor.node(2) });
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('some payments', () => buyer.payments >= 30, 30_000);
    // A piece beyond the window of an unpaid one says that a payment was durable.
    const windowPieces = 4;
    process.kill(floor.pidOf('node-2'), 'SIGKILL');
    await until('the close', () => buyer.isClosed);
    const answered = buyer.received - windowPieces;
    const { channel } = contract.shares[0]!;
    const row = await floor.becomes(torrent, channel, 'settled', 'buried');
    expect(row.k).toBeGreaterThanOrEqual(answered);
    expect(row.k).toBeLessThanOrEqual(buyer.payments);
    await floor.settles(torrent, channel, row.k);
  });
});
