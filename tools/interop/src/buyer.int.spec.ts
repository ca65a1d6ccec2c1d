import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { NODE_EXAMPLE, PLAIN } from './bittorrent/libtorrent.js';
import type { Torrent } from './bittorrent/torrent.js';
import { desktopTerms, type BuyerLink } from './buyer/buyer-link.js';
import type { Contract } from './buyer/contract.js';
import { ReferenceDownload } from './buyer/download.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const PIECES = 13;
// The last piece is a short one.
const content = noise(PIECES * PIECE - 4_000, 1);

describe('a reference-shaped buyer buys', () => {
  let floor: Floor;
  let torrent: Torrent;

  beforeAll(async () => {
    floor = Floor.at(inject('fleetState'));
    torrent = await floor.sell('thirteen.bin', content, PIECE, { priceSat: '1000' });
  });
  afterAll(() => floor.close());

  /** From the joined connections to the mined settlements; everything must be there, paid once, and nothing free. */
  async function buyAll(buyers: readonly BuyerLink[], contract?: Contract): Promise<void> {
    const deal = contract ?? (await floor.contract(buyers));
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, deal, buyers);
    await until('the download', () => download.isComplete);
    await until('the close by the sellers', () => buyers.every(({ isClosed }) => isClosed));
    expect(download.content.equals(content)).toBe(true);
    expect(buyers.reduce((sum, { payments }) => sum + payments, 0)).toBe(PIECES);
    expect(buyers.map(({ link }) => link.freeBytes)).toEqual(buyers.map(() => 0));
    for (const [index, { channel }] of deal.shares.entries()) {
      await floor.settles(torrent, channel, buyers[index]?.payments ?? 0);
    }
  }

  it('from one seller, after the speed test', async () => {
    const buyer = await floor.joined(torrent);
    expect(buyer.speedTestMs).toBeLessThan(5_000);
    await buyAll([buyer]);
  });

  it('from two sellers in one contract', async () => {
    const terms = desktopTerms(1_000n, 2);
    const buyers = await Promise.all([1, 2].map((node) => floor.joined(torrent, { address: floor.node(node), terms })));
    await buyAll(buyers);
  });

  it('without a speed test, with a DHT port, keep-alives and a user who takes his time', async () => {
    const buyer = await floor.joined(torrent, { speedTestBytes: 0, dht: true, client: NODE_EXAMPLE });
    for (let second = 0; second < 4; second++) {
      await sleep(1_000);
      buyer.link.write(PLAIN.keepAlive, PLAIN.have(second));
    }
    expect(buyer.isClosed).toBe(false);
    await buyAll([buyer]);
  });

  it('on a connection that was opened before its session started, and was stopped and started again', async () => {
    const buyer = floor.buyer(torrent, { started: false });
    await sleep(500);
    expect(buyer.link.heard).not.toContain('sell');
    buyer.start();
    await until('joining_contract', () => buyer.joined);
    buyer.stop();
    await sleep(500);
    expect(buyer.isClosed).toBe(false);
    buyer.start();
    await until('joining_contract again', () => buyer.joined);
    expect(buyer.offers.map(({ index }) => index)).toEqual([0, 0]);
    await buyAll([buyer]);
  });

  it('after it only observed for a while', async () => {
    const buyer = floor.buyer(torrent, { mode: 'observe' });
    await until('the sell that waits for no buy', () => buyer.offers.length > 0);
    buyer.buy();
    await until('joining_contract', () => buyer.joined);
    await buyAll([buyer]);
  });

  it('over one of two connections from one address', async () => {
    const buyers = [await floor.joined(torrent), await floor.joined(torrent)];
    expect(Buffer.from(buyers[0]!.joined!.publicKey).equals(buyers[1]!.joined!.publicKey)).toBe(false);
    await buyAll([buyers[1]!]);
    expect(buyers[0]!.isClosed).toBe(false);
    buyers[0]!.link.end();
  });

  it('the rest elsewhere, and pays for what it had asked here', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent, Infinity, [0, 1, 2, 3, 4, 5]);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('two pieces', () => download.pieces.size >= 2);
    const requested = buyer.requests;
    download.finish();
    await until('the close', () => buyer.isClosed);
    expect(buyer.payments).toBe(buyer.requests);
    expect(buyer.payments).toBeGreaterThanOrEqual(requested);
    await floor.settles(torrent, contract.shares[0]!.channel, buyer.payments);
  });
});
