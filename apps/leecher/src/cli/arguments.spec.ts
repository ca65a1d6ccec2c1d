import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuyerError } from '@seedfleet/buyer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.js';

const RPC = ['--rpc', 'http://user:word@127.0.0.1:18443'];
const BUY = ['download', 'book.torrent', '--out', 'books', '--peer', '127.0.0.1:7881'];
let config: string;
const parse = (argv: string[], environment: NodeJS.ProcessEnv = {}) =>
  parseArguments(argv, {
    environment: { XDG_CONFIG_HOME: config, ...environment },
    cwd: '/home/me',
    nowSec: 86_400 * 100,
  });

beforeAll(() => void (config = mkdtempSync(join(tmpdir(), 'arguments-'))));
afterAll(() => rmSync(config, { recursive: true }));

function exitCodeOf(argv: string[], environment: NodeJS.ProcessEnv = {}): number | undefined {
  try {
    parse(argv, environment);
    return undefined;
  } catch (failure) {
    return failure instanceof BuyerError ? failure.exitCode : -1;
  }
}

describe('the command line', () => {
  it('takes relative paths as the caller meant them and fills in the defaults', () => {
    expect(parse([...BUY, ...RPC])).toMatchObject({
      command: 'download',
      source: '/home/me/book.torrent',
      buying: { outDir: '/home/me/books', peers: [{ host: '127.0.0.1', port: 7881 }], maxPriceSat: undefined },
      yes: false,
      json: false,
    });
  });

  it('says its version and helps without a node or a wallet', () => {
    expect(parse(['--version'])).toEqual({ command: 'version' });
    expect(parse(['download', '--help'])).toEqual({ command: 'help' });
  });

  it('looks for sellers as long as it is told', () => {
    expect(parse([...BUY, ...RPC, '--wait', '3600', '--patience', '5'])).toMatchObject({
      buying: { searchMs: 3_600_000, silenceMs: 5_000 },
    });
    expect(exitCodeOf([...BUY, ...RPC, '--wait', '0'])).toBe(2);
  });

  it('takes links as they are, and ceilings as satoshi', () => {
    const link = 'magnet:?xt=urn:btih:aa';
    const found = parse([
      'stream',
      link,
      ...RPC,
      '--budget',
      '5000',
      '--max-per-gib',
      '900',
      '--listen',
      '127.0.0.1:0',
    ]);
    expect(found).toMatchObject({
      source: link,
      buying: { budgetSat: 5000n, maxPerGibSat: 900n },
      listen: { port: 0 },
    });
  });

  it('has wallet commands of two words', () => {
    expect(parse(['wallet', 'send', 'addr', '1000', '--fee-rate', '3', ...RPC])).toMatchObject({
      command: 'wallet send',
      address: 'addr',
      amountSat: 1000n,
      ratePerKbSat: 3000n,
    });
    expect(parse(['wallet', 'send', 'addr', 'all', ...RPC])).toMatchObject({ amountSat: 'all' });
    expect(parse(['wallet', 'restore', ...RPC])).toMatchObject({ sinceSec: 86_400 * 40 });
    expect(parse(['wallet', 'seed'])).toMatchObject({ command: 'wallet seed' });
  });

  it('reads a configuration, which the command line overrides', () => {
    const file = join(config, 'own.json');
    writeFileSync(file, JSON.stringify({ rpc: 'http://127.0.0.1:1', 'max-price': 7, peer: ['a:1'], json: true }));
    const found = parse([...BUY, '--config', file, '--max-price', '9']);
    expect(found).toMatchObject({ access: { rpcUrl: 'http://127.0.0.1:1' }, buying: { maxPriceSat: 9n }, json: true });
    writeFileSync(join(config, 'seedfleet-leecher.json'), JSON.stringify({ 'max-price': 7 }));
    expect(parse([...BUY, ...RPC])).toMatchObject({ buying: { maxPriceSat: 7n } });
    rmSync(join(config, 'seedfleet-leecher.json'));
    writeFileSync(file, JSON.stringify({ 'max-prize': 7 }));
    expect(exitCodeOf([...BUY, ...RPC, '--config', file])).toBe(2);
    expect(exitCodeOf([...BUY, ...RPC, '--config', join(config, 'none.json')])).toBe(2);
  });

  it('finds the node in the environment', () => {
    const found = parse(BUY, { BTC_RPC: 'http://127.0.0.1:8332', BTC_COOKIE: '.cookie' });
    expect(found).toMatchObject({ access: { rpcUrl: 'http://127.0.0.1:8332', cookieFile: '/home/me/.cookie' } });
  });

  it('takes several peers, IPv6 among them', () => {
    const found = parse([...BUY, '--peer', '[::1]:1', '--peer', 'seeds.example:65535', ...RPC]);
    expect(found).toMatchObject({
      buying: { peers: [{}, { host: '::1', port: 1 }, { host: 'seeds.example', port: 65_535 }] },
    });
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['steal', ...RPC]],
    ['an unknown option', [...BUY, ...RPC, '--free']],
    ['no folder', ['download', 'a.torrent', '--peer', 'a:1', ...RPC]],
    ['an option of another command', ['refund', '--budget', '5', ...RPC]],
    ['half a wallet command', ['wallet', ...RPC]],
    ['a payment of nothing in particular', ['wallet', 'send', 'addr', ...RPC]],
    ['a day that is none', ['wallet', 'restore', '--since', 'yesterday', ...RPC]],
    ['a peer without a port', ['download', 'a.torrent', '--out', 'x', '--peer', 'host', ...RPC]],
    ['a port out of range', ['download', 'a.torrent', '--out', 'x', '--peer', 'host:65536', ...RPC]],
    ['no node', BUY],
    ['a node by a strange protocol', [...BUY, '--rpc', 'ftp://x']],
    ['a fractional price', [...BUY, ...RPC, '--max-price', '1.5']],
    ['a negative price', [...BUY, ...RPC, '--max-price=-1']],
    ['a lock beyond 16 bits', [...BUY, ...RPC, '--max-lock', '65536']],
    ['no seller at all', [...BUY, ...RPC, '--sellers', '0']],
    ['one word too many', ['download', 'a.torrent', 'b.torrent', '--out', 'x', '--peer', 'a:1', ...RPC]],
  ])('exits with 2 for %s', (_, argv) => {
    expect(exitCodeOf(argv)).toBe(2);
  });
});
