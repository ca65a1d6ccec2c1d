import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet, type RunningFleet } from '@seedfleet/fleet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Torrent } from './bittorrent/torrent.js';
import { ReferenceDownload } from './buyer/download.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const PIECES = 13;
const content = noise(PIECES * PIECE, 5);

/** A fleet that signs as Bitcoin Cash does, on a node that does not. */
describe('a fleet on regtest_bitcoin_cash', () => {
  let stateDir: string;
  let fleet: RunningFleet;
  let floor: Floor;
  let torrent: Torrent;

  beforeAll(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'seedfleet-interop-cash-'));
    fleet = await startFleet({ stateDir, network: 'regtest_bitcoin_cash', env: {} });
    floor = Floor.at(stateDir);
    torrent = await floor.sell('cash.bin', content, PIECE, { priceSat: '1000' });
  });
  afterAll(async () => {
    floor.close();
    await fleet.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('sells to a buyer that signs so, and names the refusal of its settlement', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the download', () => download.isComplete);
    expect(download.content.equals(content)).toBe(true);
    const row = await floor.becomes(torrent, contract.shares[0]!.channel, 'settle-rejected');
    expect(row).toMatchObject({ k: PIECES, settlementConfirmations: 0 });
    expect(row.settlementTxid).not.toBeNull();
  });

  it('closes at the first payment that is signed for Bitcoin', async () => {
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer], { network: 'regtest' });
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the close', () => buyer.isClosed);
    expect(buyer.payments).toBe(1);
    const row = await floor.becomes(torrent, contract.shares[0]!.channel, 'nothing-owed');
    expect(row).toMatchObject({ k: 0, settlementTxid: null });
  });
});
