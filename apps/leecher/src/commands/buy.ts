import {
  DHT_BOOTSTRAP,
  followLink,
  readTorrent,
  reportDone,
  searchPeers,
  startDownload,
  StreamServer,
  type DownloadOptions,
  type LinkedTorrent,
  type PeerAddress,
  type Quote,
  type Reporter,
  type RunningDownload,
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
  const { metainfo, peers } = await torrentFor(options.source);
  const reporter = reporterFor(metainfo.pieceLengthBytes);
  await withWallet(options, async (wallet) => {
    // Deposits of earlier runs first: what can be taken back now is there for this one.
    await wallet.refund(reporter);
    const running = await startDownload(wallet, metainfo, buyingOptions(options, peers), reporter, signal);
    const stopSearch = await search(options, running, wallet.link.walletNetwork, reporter);
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
      await Promise.all([stream?.close(), stopSearch()]);
    }
  });
}

/** A .torrent file, or a link to one or to a market. */
async function torrentFor(source: string): Promise<LinkedTorrent> {
  if (/^https?:\/\//i.test(source)) return followLink(source);
  return { metainfo: await readTorrent(source), peers: [] };
}

/** Looks for further sellers, unless the user named the only ones to deal with. */
async function search(
  { search: wanted, dhtBootstrap }: Buying,
  { metainfo, addPeers }: RunningDownload,
  network: string,
  reporter: Reporter,
): Promise<() => Promise<void>> {
  if (!wanted) return () => Promise.resolve();
  const onRegtest = network.startsWith('regtest');
  const bootstrap = dhtBootstrap ?? (onRegtest ? [] : DHT_BOOTSTRAP);
  const where = { trackers: true, dhtBootstrap: bootstrap, allowLocal: onRegtest };
  const sought = { ...metainfo, leftBytes: metainfo.totalLengthBytes };
  return searchPeers(sought, where, addPeers, reporter);
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
