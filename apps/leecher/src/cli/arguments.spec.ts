import { describe, expect, it } from 'vitest';
import { BuyerError } from '@seedfleet/buyer';
import { parseArguments } from './arguments.js';

const RPC = ['--rpc', 'http://user:word@127.0.0.1:18443'];
const BUY = ['download', 'book.torrent', '--out', 'books', '--peer', '127.0.0.1:7881'];
const parse = (argv: string[], environment: NodeJS.ProcessEnv = {}) => parseArguments(argv, environment, '/home/me');

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
      torrentFile: '/home/me/book.torrent',
      outDir: '/home/me/books',
      peers: [{ host: '127.0.0.1', port: 7881 }],
      maxPriceSat: undefined,
      maxLockUnits: 20,
      maxFeePerKbSat: 1024n,
      sellers: 1,
      json: false,
    });
  });

  it('finds the node in the environment', () => {
    const found = parse(BUY, { BTC_RPC: 'http://127.0.0.1:8332', BTC_COOKIE: '.cookie' });
    expect(found).toMatchObject({ rpcUrl: 'http://127.0.0.1:8332', cookieFile: '/home/me/.cookie' });
  });

  it('takes several peers, IPv6 among them', () => {
    const found = parse([...BUY, '--peer', '[::1]:1', '--peer', 'seeds.example:65535', ...RPC]);
    expect(found).toMatchObject({ peers: [{}, { host: '::1', port: 1 }, { host: 'seeds.example', port: 65_535 }] });
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['steal', ...RPC]],
    ['an unknown option', [...BUY, ...RPC, '--free']],
    ['no folder', ['download', 'a.torrent', '--peer', 'a:1', ...RPC]],
    ['no peer', ['download', 'a.torrent', '--out', 'x', ...RPC]],
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
