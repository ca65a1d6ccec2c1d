import { download, readTorrent, type Quote, type Reporter } from '@seedfleet/buyer';
import type { Arguments } from '../cli/arguments.js';
import { ask, isAttended } from './ask.js';
import { withWallet } from './with-wallet.js';

type Buying = Extract<Arguments, { readonly command: 'download' }>;

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
    await download(wallet, metainfo, { ...options.buying, approve: approval(options) }, reporter, signal);
  });
}

/** A person at a terminal is asked before money moves; a script has its ceilings. */
export function approval({
  yes,
  json,
}: Pick<Buying, 'yes' | 'json'>): ((quote: Quote) => Promise<boolean>) | undefined {
  if (yes || json || !isAttended()) return undefined;
  return async ({ totalSat, depositSat }) =>
    /^y(es)?$/i.test(await ask(`pay up to ${totalSat} sat, depositing ${depositSat}? [y/N] `));
}
