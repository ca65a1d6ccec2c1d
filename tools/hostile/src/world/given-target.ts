import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunningFleet } from '@seedfleet/fleet';
import { ReferenceWallet } from '@seedfleet/interop';
import { isNetwork } from '@seedfleet/payment-channel';
import type { HostileOptions } from '../options.js';
import type { Target } from './target.js';
import { readTorrent } from './torrent-file.js';

/** Buyers ask for single pieces by number, up to this many. */
const FEWEST_PIECES = 16;

type Found = Partial<Pick<HostileOptions, 'seller' | 'torrent' | 'other' | 'rpc' | 'metrics' | 'network'>>;

/** The node that the command line names; undefined where it names none. Throws with a sentence for people. */
export function givenTarget(options: HostileOptions): Target | undefined {
  const found = options.state === undefined ? {} : inState(resolve(process.env['INIT_CWD'] ?? '.', options.state));
  const seller = options.seller ?? found.seller;
  const torrentFile = options.torrent ?? found.torrent;
  if (seller === undefined || torrentFile === undefined) return undefined;
  const network = options.network ?? found.network ?? 'regtest';
  if (!isNetwork(network)) throw new Error(`${network} is no network`);
  const torrent = readTorrent(resolve(process.env['INIT_CWD'] ?? '.', torrentFile));
  if (torrent.pieces < FEWEST_PIECES) {
    throw new Error(`${torrentFile} has ${torrent.pieces} pieces; the buyers need ${FEWEST_PIECES}`);
  }
  const rpcUrl = options.rpc ?? found.rpc;
  if (rpcUrl !== undefined && !network.startsWith('regtest'))
    throw new Error('money is spent on regtest only: leave --rpc out');
  return {
    address: seller,
    otherAddress: options.other ?? found.other,
    network,
    torrent,
    money: rpcUrl === undefined ? undefined : { wallet: new ReferenceWallet(rpcUrl), rpcUrl },
    metricsUrl: options.metrics ?? found.metrics,
    limitsHold: options.localLimits || !seller.startsWith('127.') || !network.startsWith('regtest'),
  };
}

/** What a fleet that runs says about itself. */
function inState(state: string): Found {
  const file = join(state, 'run.json');
  if (!existsSync(file)) throw new Error(`no fleet runs in ${state}: start one with \`npm start -- --state ${state}\``);
  const { nodes, bitcoin, network } = JSON.parse(readFileSync(file, 'utf8')) as RunningFleet['run'];
  const [node, other] = nodes;
  if (node === undefined) throw new Error(`the fleet in ${state} has no node`);
  const services = join(state, 'services');
  const { httpPort } = JSON.parse(readFileSync(join(services, `${node.id}.ready.json`), 'utf8')) as {
    httpPort: number;
  };
  const torrents = join(services, node.id, 'torrents');
  const [torrent] = readdirSync(torrents).filter((name) => name.endsWith('.torrent'));
  if (torrent === undefined) throw new Error(`the fleet in ${state} sells nothing yet`);
  return {
    seller: node.peerAddress,
    ...(other === undefined ? {} : { other: other.peerAddress }),
    torrent: join(torrents, torrent),
    rpc: bitcoin.rpcUrl,
    metrics: `http://127.0.0.1:${httpPort}/metrics`,
    network,
  };
}
