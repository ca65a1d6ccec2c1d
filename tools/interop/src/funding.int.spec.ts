import { setTimeout as sleep } from 'node:timers/promises';
import { callRpc, walletUrl } from '@seedfleet/fleet';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Torrent } from './bittorrent/torrent.js';
import type { BuyerLink } from './buyer/buyer-link.js';
import type { Contract } from './buyer/contract.js';
import { ReferenceDownload } from './buyer/download.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const PIECES = 50;
/** What policy gives on an unconfirmed funding: 2 % of the pieces. */
const ZERO_CONF_PIECES = 1;
const REFUSED_MS = 20_000;

describe('a funding that is not what ready says', () => {
  let floor: Floor;
  let torrent: Torrent;

  beforeAll(async () => {
    floor = Floor.at(inject('fleetState'));
    torrent = await floor.sell('fifty.bin', noise(PIECES * PIECE, 2), PIECE, { priceSat: '400' });
  });
  afterAll(() => floor.close());

  async function refused(buyer: BuyerLink, contract: Contract, pieces: ReferenceDownload, reason: string) {
    await until('the close', () => buyer.isClosed, REFUSED_MS);
    expect(pieces.pieces.size).toBe(0);
    const row = await until(
      'the refused channel',
      async () => {
        const rows = await floor.market.channels(torrent.infoHashHex);
        return rows.find(({ state, stateReason }) => state === 'refused' && stateReason === reason);
      },
      REFUSED_MS,
      150,
    );
    expect(row).toMatchObject({ k: 0, settlementTxid: null });
    expect(contract.shares).toHaveLength(1);
  }

  it.each([
    ['holds less', 'value-mismatch', { fundedSat: 10_000n }],
    ['holds more', 'value-mismatch', { fundedSat: 30_000n }],
    ['commits to another lock', 'lock-mismatch', { lockUnits: 10 }],
  ])('is refused when it %s: %s', async (_what, reason, deviation) => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer], deviation);
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await refused(buyer, contract, download, reason);
  });

  it('is refused when it pays to somebody else', async () => {
    const [buyer, other] = [await floor.joined(torrent), await floor.joined(torrent, { address: floor.node(2) })];
    const contract = await floor.contract([other]);
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await refused(buyer, contract, download, 'script-mismatch');
    other.link.end();
  });

  it('is refused when it is too small to be worth anything', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer], { valueSat: 900n });
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the close', () => buyer.isClosed, REFUSED_MS);
    expect(download.pieces.size).toBe(0);
  });

  it('serves nothing while the node has not seen the transaction', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent);
    download.proceed(contract.shares, [buyer]);
    await sleep(4_000);
    expect(download.pieces.size).toBe(0);
    expect(buyer.isClosed).toBe(false);
    // Late is not wrong: a transaction takes its time through the network.
    await floor.wallet.broadcast(contract.transaction);
    await until('the download', () => download.isComplete, 30_000);
    await floor.settles(torrent, contract.shares[0]!.channel, PIECES);
  });

  it('is sold once when it is shown to two nodes', async () => {
    const buyers = await Promise.all([1, 2].map((node) => floor.joined(torrent, { address: floor.node(node) })));
    const [first, second] = buyers as [BuyerLink, BuyerLink];
    const contract = await floor.contract([first]);
    const downloads = [new ReferenceDownload(torrent), new ReferenceDownload(torrent)] as const;
    await floor.wallet.broadcast(contract.transaction);
    downloads[0].proceed(contract.shares, [first]);
    downloads[1].proceed(contract.shares, [second]);
    await until('the refusal', () => second.isClosed, REFUSED_MS);
    expect(downloads[1].pieces.size).toBe(0);
    await until('the download', () => downloads[0].isComplete, 30_000);
    await floor.settles(torrent, contract.shares[0]!.channel, PIECES);
  });

  it('that is spent elsewhere before it confirms costs the allowance and no more', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent, 0);
    const conflict = floor.wallet.build([], { coin: contract.transaction.coin, feePerKbSat: 20_000n });
    await download.begin(floor.wallet, contract, [buyer]);
    const address = await callRpc(walletUrl(floor.run.bitcoin.rpcUrl), 'getnewaddress');
    await until('the zero-conf piece', () => download.pieces.size === ZERO_CONF_PIECES, 1_900).catch(() => undefined);
    await floor.rpc('generateblock', address, [conflict.hex]);
    // The seller watches whether it comes back, as a reorganisation would bring it, and serves nothing meanwhile.
    const { channel } = contract.shares[0]!;
    await until('the news', async () => isMissed(await floor.channel(torrent, channel)), REFUSED_MS, 150);
    await sleep(1_000);
    expect(download.pieces.size).toBeLessThanOrEqual(ZERO_CONF_PIECES);
    buyer.link.end();
    const row = await floor.becomes(torrent, channel, 'nothing-owed', 'refused', 'lost');
    expect(row).toMatchObject({ k: 0, settlementTxid: null });
  });

  it('that was already confirmed and spent is refused', async () => {
    const first = await floor.joined(torrent);
    const contract = await floor.contract([first]);
    const download = new ReferenceDownload(torrent, 3);
    await download.begin(floor.wallet, contract, [first]);
    await until('three payments', () => first.payments === 3);
    first.link.destroy();
    await floor.settles(torrent, contract.shares[0]!.channel, 3);
    const again = await floor.joined(torrent);
    const second = new ReferenceDownload(torrent);
    second.proceed(contract.shares, [again]);
    await refused(again, contract, second, 'script-mismatch');
  });
});

/** Whether the seller knows that the funding is gone, in whichever of the steps that follow. */
function isMissed(row: { readonly state: string; readonly stateReason: string } | undefined): boolean {
  return (
    row?.stateReason === 'funding-vanished' ||
    row?.stateReason === 'funding-conflict' ||
    row?.state === 'funding-missing' ||
    row?.state === 'nothing-owed'
  );
}
