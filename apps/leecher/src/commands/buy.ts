import {
  connectNode,
  DHT_BOOTSTRAP,
  followLink,
  parseMagnet,
  readTorrent,
  reportDone,
  resolveMagnet,
  searchPeers,
  startDownload,
  StreamServer,
  type DownloadOptions,
  type LinkedTorrent,
  type PeerAddress,
  type PeerSearchOptions,
  type Quote,
  type Reporter,
} from '@seedfleet/buyer';
import type { Arguments } from '../cli/arguments.js';
import { ask, isAttended } from './ask.js';
import { withWallet } from './with-wallet.js';

type Buying = Extract<Arguments, { readonly command: 'download' | 'stream' }>;

/** Requests that a seller may owe while a player may seek: what is on its way comes first. */
const STREAM_OPEN_REQUESTS = 2;
/** A player does not wait as long as a person does. */
const STREAM_SILENCE_MS = 20_000;

/** Buys a torrent; for `stream` serves it meanwhile, and goes on serving until it is interrupted. */
export async function buy(
  options: Buying,
  reporterFor: (pieceBytes: number) => Reporter,
  signal: AbortSignal,
): Promise<void> {
  const { metainfo, peers } = await torrentFor(options, reporterFor(0), signal);
  const reporter = reporterFor(metainfo.pieceLengthBytes);
  await withWallet(options, async (wallet) => {
    // Deposits of earlier runs first: what can be taken back now is there for this one.
    await wallet.refund(reporter);
    const running = await startDownload(wallet, metainfo, buyingOptions(options, peers), reporter, signal);
    const where = searchOptions(options, wallet.link.walletNetwork);
    const sought = { ...metainfo, leftBytes: metainfo.totalLengthBytes };
    const stopSearch = where && (await searchPeers(sought, where, running.addPeers, reporter));
    // Looked at below; an early end must not count as unhandled meanwhile.
    running.done.catch(() => undefined);
    const { outDir } = options.buying;
    const stream =
      options.command === 'stream'
        ? await StreamServer.listen(running, { listen: options.listen, outDir, reporter })
        : undefined;
    try {
      reportDone(await running.done, reporter);
      if (stream !== undefined) await interrupted(signal);
    } finally {
      await Promise.all([stream?.close(), stopSearch?.()]);
    }
  });
}

/** A .torrent file, a magnet link, or a link to one or to a market. */
async function torrentFor(options: Buying, reporter: Reporter, signal: AbortSignal): Promise<LinkedTorrent> {
  const { source, buying, access } = options;
  const magnet = parseMagnet(source);
  if (magnet !== undefined) {
    const { node, walletNetwork } = await connectNode(access);
    node.close();
    return resolveMagnet(magnet, buying.peers, searchOptions(options, walletNetwork), reporter, signal);
  }
  if (/^https?:\/\//i.test(source)) return followLink(source);
  return { metainfo: await readTorrent(source), peers: [] };
}

/**
 * Undefined where the user named the only peers to deal with. A development chain has its peers on this machine, and
 * nothing of it is any business of the world's.
 */
function searchOptions(options: Buying, network: string): PeerSearchOptions | undefined {
  if (!options.search) return undefined;
  const local = network.startsWith('regtest');
  const dhtBootstrap = options.dhtBootstrap ?? (local ? [] : DHT_BOOTSTRAP);
  return { trackers: local ? 'local' : 'on', dhtBootstrap, allowLocal: local };
}

function buyingOptions(options: Buying, found: readonly PeerAddress[]): DownloadOptions {
  const approve = approval(options);
  const buying = { ...options.buying, peers: [...options.buying.peers, ...found] };
  if (options.command === 'download') return { ...buying, approve };
  const silenceMs = buying.silenceMs ?? STREAM_SILENCE_MS;
  return { ...buying, approve, maxOpenRequests: STREAM_OPEN_REQUESTS, silenceMs };
}

/** A person at a terminal is asked before money moves; a script has its ceilings. */
function approval({ yes, json }: Pick<Buying, 'yes' | 'json'>): ((quote: Quote) => Promise<boolean>) | undefined {
  if (yes || json || !isAttended()) return undefined;
  return async ({ totalSat, depositSat }) =>
    /^y(es)?$/i.test(await ask(`pay up to ${totalSat} sat, depositing ${depositSat}? [y/N] `));
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
