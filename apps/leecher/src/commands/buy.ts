import {
  readTorrent,
  reportDone,
  startDownload,
  StreamServer,
  type DownloadOptions,
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
  const metainfo = await readTorrent(options.source);
  const reporter = reporterFor(metainfo.pieceLengthBytes);
  await withWallet(options, async (wallet) => {
    // Deposits of earlier runs first: what can be taken back now is there for this one.
    await wallet.refund(reporter);
    const running = await startDownload(wallet, metainfo, buyingOptions(options), reporter, signal);
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
      await stream?.close();
    }
  });
}

function buyingOptions(options: Buying): DownloadOptions {
  const approve = approval(options);
  if (options.command === 'download') return { ...options.buying, approve };
  return { ...options.buying, approve, maxOpenRequests: STREAM_OPEN_REQUESTS, silenceMs: STREAM_SILENCE_MS };
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
