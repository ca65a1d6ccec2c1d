import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SellerTerms } from '@seedfleet/wire';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { torrentOf } from './bittorrent/torrent.js';
import { settlementDifference } from './chain/settlement-check.js';
import { ReferenceSeller, type SellerOptions } from './seller/reference-seller.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const LEECHER = fileURLToPath(new URL('../../../apps/leecher/dist/main.js', import.meta.url));
const PIECE = 16_384;
const PIECES = 30;
/** Pieces that the reference has unpaid at most. */
const WINDOW = 5;
const content = noise(PIECES * PIECE - 1, 4);
const torrent = torrentOf('thirty.bin', content, PIECE);
const TERMS: SellerTerms = {
  minContractFeePerKb: 1_024n,
  minLock: 10,
  // Below what a default buyer pays at most for such a torrent, which is 168.
  minPrice: 150n,
  maxSellers: 5,
  settlementFee: 450n,
};

interface Ended {
  readonly exitCode: number | null;
  readonly events: readonly Record<string, unknown>[];
}

describe('our leecher at reference-shaped sellers', () => {
  let floor: Floor;
  let base: string;
  let wallet: string;
  let out: string;
  let sellers: ReferenceSeller[];
  let leechers: ChildProcess[];

  beforeAll(() => {
    floor = Floor.at(inject('fleetState'));
    base = mkdtempSync(join(tmpdir(), 'seedfleet-leecher-'));
    wallet = join(base, 'wallet');
    writeFileSync(join(base, 'thirty.torrent'), torrent.file);
  });
  beforeEach(() => {
    out = mkdtempSync(join(base, 'out-'));
    sellers = [];
    leechers = [];
    return () => {
      for (const seller of sellers) seller.close();
      for (const leecher of leechers) leecher.kill('SIGKILL');
    };
  });
  afterAll(() => {
    floor.close();
    rmSync(base, { recursive: true, force: true });
  });

  async function open(options: Partial<SellerOptions> = {}): Promise<ReferenceSeller> {
    const seller = await ReferenceSeller.listen({ torrent, content, terms: TERMS, network: 'regtest', ...options });
    sellers.push(seller);
    return seller;
  }

  function download(extra: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    mkdirSync(out, { recursive: true });
    const peers = sellers.flatMap(({ address }) => ['--peer', address]);
    const rpc = ['--rpc', floor.run.bitcoin.rpcUrl, '--wallet', wallet];
    const child = spawn(
      process.execPath,
      [LEECHER, 'download', join(base, 'thirty.torrent'), '--out', out, '--json', ...rpc, ...peers, ...extra],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: base, env: { ...process.env, ...environment } },
    );
    leechers.push(child);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return new Promise((resolve) =>
      child.on('close', (exitCode) => {
        const events = text
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        resolve({ exitCode, events });
      }),
    );
  }

  /**
   * Every claim is a settlement that the node takes and mines as prescribed.
   * @param crossed payments that a seller which vanishes may no longer see
   */
  async function claims(payments: number, crossed = 0): Promise<void> {
    await until('the ends', () => sellers.every(({ links }) => links.every(({ phase }) => phase === 'over')));
    const made = sellers.flatMap(({ claims: own }) => own);
    const claimed = made.reduce((sum, { k }) => sum + k, 0);
    expect(claimed).toBeLessThanOrEqual(payments);
    expect(claimed).toBeGreaterThanOrEqual(payments - crossed);
    for (const { channel, k, hex } of made) {
      expect(settlementDifference(hex, channel, k)).toBeUndefined();
      const txid = await floor.rpc('sendrawtransaction', hex);
      await floor.mine();
      expect(await floor.rpc('getrawtransaction', txid, true)).toMatchObject({ confirmations: 1 });
    }
  }

  const isHere = () => readFileSync(join(out, torrent.name)).equals(content);

  it('buys everything from one', async () => {
    const seller = await open();
    const { exitCode, events } = await download();
    expect(exitCode).toBe(0);
    expect(isHere()).toBe(true);
    expect(events.at(-1)).toMatchObject({ event: 'done', pieces: PIECES, payments: PIECES, paidSat: '4500' });
    expect(seller.links.map(({ violation }) => violation)).toEqual([undefined]);
    await claims(PIECES);
  });

  it('buys everything from two in one contract', async () => {
    await open();
    await open({ host: '127.0.0.2' });
    const { exitCode, events } = await download(['--sellers', '2']);
    expect(exitCode).toBe(0);
    expect(isHere()).toBe(true);
    expect(events.at(-1)).toMatchObject({ event: 'done', payments: PIECES });
    expect(
      new Set(sellers.flatMap((seller) => seller.claims.map(({ channel }) => channel.fundingOutpoint.index))),
    ).toEqual(new Set([0, 1]));
    await claims(PIECES);
  });

  it('follows terms that are revised before the join', async () => {
    const seller = await open({ revisedTerms: { ...TERMS, minPrice: 120n, settlementFee: 500n, minLock: 20 } });
    const { exitCode, events } = await download();
    expect(exitCode).toBe(0);
    expect(events.at(-1)).toMatchObject({ event: 'done', payments: PIECES, paidSat: '3600' });
    expect(seller.claims[0]?.channel).toMatchObject({ priceSat: 120n, settlementFeeSat: 500n, lockUnits: 20 });
    await claims(PIECES);
  });

  it('takes the rest from the other when one vanishes', async () => {
    await open({ vanishAfter: 5 });
    await open({ host: '127.0.0.2' });
    const { exitCode } = await download(['--sellers', '2']);
    expect(exitCode).toBe(0);
    expect(isHere()).toBe(true);
    await claims(PIECES, WINDOW);
  });

  it('makes further contracts with the only one that vanishes, and pays for no piece twice', async () => {
    await open({ vanishAfter: 8 });
    const { exitCode, events } = await download();
    expect(exitCode).toBe(0);
    expect(isHere()).toBe(true);
    const contracts = events.filter(({ event }) => event === 'contract');
    expect(contracts.length).toBeGreaterThan(2);
    // Each deposit is for what is missing then.
    const deposits = contracts.map(({ depositSat }) => Number(depositSat));
    expect(deposits).toEqual([...deposits].sort((a, b) => b - a));
    const done = events.at(-1) as { event: string; bought: number; payments: number };
    expect(done).toMatchObject({ event: 'done', bought: PIECES });
    // A piece whose seller is gone by the time it is verified can't be paid any more.
    expect(done.payments).toBeLessThanOrEqual(PIECES);
    await claims(done.payments, WINDOW * contracts.length);
  });

  it('resumes after being killed with a piece written and not paid, without buying it again', async () => {
    const seller = await open();
    const cut = await download([], { LEECHER_KILL_AT: 'piece.after-write#9' });
    expect(cut.exitCode).toBeNull();
    await claims(8);
    seller.close();
    sellers = [];
    await open();
    const { exitCode, events } = await download();
    expect(exitCode).toBe(0);
    expect(isHere()).toBe(true);
    const done = events.at(-1) as { event: string; bought: number; payments: number };
    // Further pieces of the window may have reached the disk while it died.
    expect(done.bought).toBeLessThanOrEqual(PIECES - 9);
    expect(done.bought).toBeGreaterThanOrEqual(PIECES - 9 - WINDOW);
    expect(done.payments).toBe(done.bought);
    await claims(done.payments);
  });

  it('does not buy above its price', async () => {
    const seller = await open();
    const started = performance.now();
    const { exitCode } = await Promise.race([
      download(['--max-price', '149']),
      new Promise<Ended>((resolve) => setTimeout(() => resolve({ exitCode: -1, events: [] }), 4_000)),
    ]);
    expect(exitCode).not.toBe(0);
    expect(performance.now() - started).toBeLessThan(6_000);
    expect(seller.links.every(({ phase }) => phase === 'ready')).toBe(true);
  });
});
