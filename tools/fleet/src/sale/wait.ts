import { setTimeout as sleep } from 'node:timers/promises';
import { FleetError } from '../errors.js';

const POLL_MS = 250;

/**
 * Asks again and again until there is an answer. Throws `timed-out` after `timeoutMs`, and the signal's reason when it
 * is aborted.
 * @param what the thing waited for, as the subject of "did not happen"
 * @param last what is known so far, for the message
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  options: {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly last: () => string;
    readonly todo: string;
  },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal.throwIfAborted();
    const answer = await look();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) {
      const why = `not within ${Math.round(options.timeoutMs / 1000)} s; ${options.last()}`;
      throw new FleetError('timed-out', `${what} did not happen`, why, options.todo);
    }
    await sleep(POLL_MS, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
  }
}
