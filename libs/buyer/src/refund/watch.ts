import type { Reporter } from '../events.js';
import { BuyerError } from '../failure.js';
import type { RefundRound } from './refund.js';

/** Between two looks: a block comes every ten minutes on average. */
export const WATCH_EVERY_MS = 60_000;

/**
 * Looks again and again until every deposit is back, or the signal comes. A round that fails is told and tried again:
 * the node may be restarting, another command may be using the wallet, a refused refund may be taken later.
 */
export async function watchRefunds(
  round: () => Promise<RefundRound>,
  reporter: Reporter,
  signal: AbortSignal,
  everyMs = WATCH_EVERY_MS,
): Promise<void> {
  while (!signal.aborted) {
    try {
      if ((await round()).open === 0) return;
    } catch (failure) {
      if (!(failure instanceof BuyerError)) throw failure;
      reporter.report({ event: 'retrying', code: failure.code, message: failure.message });
    }
    await pause(everyMs, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
