import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { desktopTerms } from './buyer/buyer-link.js';
import { ReferenceDownload } from './buyer/download.js';
import type { Torrent } from './bittorrent/torrent.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const content = noise(13 * PIECE - 4_000, 1);

describe('a reference-shaped buyer', () => {
  let floor: Floor;
  let torrent: Torrent;

  beforeAll(async () => {
    floor = await Floor.open({ network: 'regtest', nodes: 2 });
    torrent = await floor.sell('thirteen.bin', content, PIECE, { priceSat: '1000' });
  });
  afterAll(() => floor.close());

  it('buys everything from one seller', async () => {
    const buyer = await floor.joined(torrent);
    expect(buyer.speedTestMs).toBeLessThan(2_000);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the download', () => download.isComplete);
    await until('the close', () => buyer.isClosed);
    expect(download.content.equals(content)).toBe(true);
    expect(buyer.payments).toBe(13);
    expect(buyer.link.freeBytes).toBe(0);
    const [share] = contract.shares;
    await floor.settles(torrent, share!.channel, 13);
  });

  it('buys from two sellers in one contract', async () => {
    const terms = desktopTerms(1_000n, 2);
    const buyers = await Promise.all([1, 2].map((node) => floor.joined(torrent, { address: floor.node(node), terms })));
    const contract = await floor.contract(buyers);
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, buyers);
    await until('the download', () => download.isComplete);
    await until('the close', () => buyers.every(({ isClosed }) => isClosed));
    expect(download.content.equals(content)).toBe(true);
    const payments = buyers.map((buyer) => buyer.payments);
    expect(payments.reduce((sum, k) => sum + k, 0)).toBe(13);
    for (const [index, { channel }] of contract.shares.entries()) {
      await floor.settles(torrent, channel, payments[index] ?? 0);
    }
  });
});
