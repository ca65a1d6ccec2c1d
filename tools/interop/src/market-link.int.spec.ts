import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BIP32Factory } from 'bip32';
import { mnemonicToSeedSync } from 'bip39';
import { networks } from 'bitcoinjs-lib';
import { NETWORKS } from '@seedfleet/payment-channel';
import * as tiny from 'tiny-secp256k1';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Torrent } from './bittorrent/torrent.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const LEECHER = fileURLToPath(new URL('../../../apps/leecher/dist/main.js', import.meta.url));
const PIECE = 16_384;
const PIECES = 60;
/** Enough that a sale of so few pieces is worth its settlement. */
const PRICE_SAT = 400;
/** Pieces this small cost more per GiB than a person pays without being asked. */
const DEAR = ['--max-price', String(PRICE_SAT), '--max-per-gib', String(PRICE_SAT * 65_536)];
const SETTLED_MS = 60_000;
const content = noise(PIECES * PIECE - 9, 12);

interface Ended {
  readonly exitCode: number | null;
  readonly events: readonly Record<string, unknown>[];
}

function total(balance: Record<string, unknown>): bigint {
  return BigInt(String(balance['spendableSat'])) + BigInt(String(balance['immatureSat']));
}

describe('a person with a link to the market and a wallet', () => {
  let floor: Floor;
  let base: string;
  let torrent: Torrent;

  beforeAll(async () => {
    floor = Floor.at(inject('fleetState'));
    base = mkdtempSync(join(tmpdir(), 'seedfleet-link-'));
    torrent = await floor.sell('linked.bin', content, PIECE, { priceSat: String(PRICE_SAT) });
  });
  afterAll(() => {
    floor.close();
    rmSync(base, { recursive: true, force: true });
  });

  function leecher(...words: readonly string[]): Promise<Ended> {
    const rpc = ['--rpc', floor.run.bitcoin.rpcUrl, '--wallet', join(base, 'wallet'), '--json'];
    const child = spawn(process.execPath, [LEECHER, ...words, ...rpc], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: base,
      env: { PATH: process.env['PATH'], HOME: base },
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return new Promise((resolve) =>
      child.on('close', (exitCode) => {
        const lines = text.split('\n').filter((line) => line !== '');
        resolve({ exitCode, events: lines.map((line) => JSON.parse(line) as Record<string, unknown>) });
      }),
    );
  }

  async function ask(event: string, ...words: readonly string[]): Promise<Record<string, unknown>> {
    const { events } = await leecher(...words);
    const found = events.find((one) => one['event'] === event);
    if (found === undefined) throw new Error(JSON.stringify(events));
    return found;
  }

  /** What the node finds for the wallet's words, by keys that the node derives itself. */
  async function chainSat(words: string): Promise<bigint> {
    const master = BIP32Factory(tiny).fromSeed(mnemonicToSeedSync(words), networks.regtest).toBase58();
    const account = `${master}/84h/1h/0h`;
    const payouts = Array.from({ length: 10 }, (_, index) => {
      return `pkh(${master}/5853h/${NETWORKS.indexOf('regtest')}h/0h/0h/${index}h/1h)`;
    });
    const ranged = [0, 1].map((chain) => ({ desc: `wpkh(${account}/${chain}/*)`, range: 50 }));
    const scan = (await floor.rpc('scantxoutset', 'start', [...ranged, ...payouts])) as { total_amount: number };
    return BigInt(Math.round(scan.total_amount * 1e8));
  }

  it('buys by the link alone, is settled with, and owns to the satoshi what the node says', async () => {
    const link = `${floor.run.marketApi.url}/v1/market/torrents/${torrent.infoHashHex}`;
    const { exitCode, events } = await leecher('download', link, '--out', join(base, 'out'), '--no-search', ...DEAR);
    expect(events.at(-1)).toMatchObject({ event: 'done', pieces: PIECES, paidSat: `${PRICE_SAT * PIECES}` });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(base, 'out', 'linked.bin')).equals(content)).toBe(true);
    // What it would cost was said before the deposit was made.
    const place = (event: string): number => events.findIndex((one) => one['event'] === event);
    expect(place('quote')).toBeGreaterThanOrEqual(0);
    expect(place('quote')).toBeLessThan(place('contract'));
    expect(events[place('quote')]).toMatchObject({ priceSat: String(PRICE_SAT), totalSat: `${PRICE_SAT * PIECES}` });

    await until(
      'the settlement in a block',
      async () => {
        await floor.mine();
        const rows = await floor.market.channels(torrent.infoHashHex);
        return rows.some(({ state }) => state === 'settled' || state === 'buried');
      },
      SETTLED_MS,
      1_000,
    );
    const { words } = await ask('seed', 'wallet', 'seed');
    const balance = await ask('balance', 'wallet', 'balance');
    expect(balance).toMatchObject({ lockedSat: '0', refundableSat: '0', returningSat: '0' });
    expect(total(balance)).toBe(await chainSat(String(words)));

    // The change of the settlement is spendable, and sending everything leaves nothing behind.
    const address = String(await floor.rpc('getnewaddress'));
    const sent = await ask('sent', 'wallet', 'send', address, 'all', '--fee-rate', '3');
    expect(BigInt(String(sent['amountSat'])) + BigInt(String(sent['feeSat']))).toBe(
      BigInt(String(balance['spendableSat'])),
    );
    await floor.mine();
    const after = await ask('balance', 'wallet', 'balance');
    // What it mined itself becomes spendable with each block, so only the sum tells.
    expect(total(after)).toBe(total(balance) - BigInt(String(balance['spendableSat'])));
    expect(total(after)).toBe(await chainSat(String(words)));
  });

  it('says by its exit code why a link is of no use', async () => {
    const unknown = `${floor.run.marketApi.url}/v1/market/torrents/${'0'.repeat(40)}`;
    const cases = [
      { words: ['download', unknown, '--out', base], exitCode: 2, code: 'link-unusable' },
      { words: ['download', 'http://127.0.0.1:1/a.torrent', '--out', base], exitCode: 1, code: 'link-unreachable' },
      { words: ['download', join(base, 'none.torrent'), '--out', base], exitCode: 2 },
      {
        words: [
          'download',
          join(base, 'linked.torrent'),
          '--out',
          join(base, 'dear'),
          '--max-price',
          '1',
          '--wait',
          '3',
        ],
        exitCode: 3,
        code: 'no-fitting-seller',
      },
    ];
    writeFileSync(join(base, 'linked.torrent'), torrent.file);
    for (const { words, exitCode, code } of cases) {
      const ended = await leecher(...words, '--no-search', '--peer', floor.node(1));
      expect([words[1], ended.exitCode]).toEqual([words[1], exitCode]);
      expect(ended.events.at(-1)).toMatchObject({ event: 'error', ...(code === undefined ? {} : { code }) });
    }
  });
});
