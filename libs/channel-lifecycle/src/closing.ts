import { enter } from './enter.js';
import type { ChannelLife, Facts, Reason } from './life.js';
import { mayServe } from './states.js';

/** The end of service: what payments are still waited for, and when k is frozen. */

export function onConnectionEnded(life: ChannelLife, cause: string, finalK: number, facts: Facts): ChannelLife {
  if (isUnfunded(life)) return enter(life, 'join-expired', 'ended-before-ready', facts, { detail: cause });
  if (mayServe(life.state) || life.state === 'joined') {
    return endService(life, 'connection-ended', facts, { detail: cause }, finalK);
  }
  // The service had ended already; now we know what to wait for.
  const waits = life.state === 'closing' || life.state === 'funding-missing' || life.state === 'refund-seen';
  return waits && life.frozenK === undefined ? awaitPayment(life, finalK, facts) : life;
}

export function close(
  life: ChannelLife,
  reason: 'operator' | 'deadline' | 'k-cap' | 'unconfirmed-too-long',
  facts: Facts,
) {
  if (isUnfunded(life)) return enter(life, 'join-expired', reason, facts);
  if (mayServe(life.state) || life.state === 'joined') return endService(life, reason, facts);
  const isMissing = life.state === 'funding-missing' && life.frozenK === undefined && life.awaitedK === undefined;
  return isMissing ? awaitPayment(life, Infinity, facts) : life;
}

/**
 * No piece leaves from here on. Payments that the node took may still be on their way to us, so k is frozen when the
 * last of them is here: `finalK` where the node has told it, else when nothing more came for a while.
 */
export function endService(
  life: ChannelLife,
  reason: Reason,
  facts: Facts,
  more: Partial<ChannelLife> = {},
  finalK = Infinity,
): ChannelLife {
  // Before the funding was seen nothing can have been paid.
  const lastK = life.state === 'joined' ? 0 : finalK;
  return awaitPayment(enter(life, 'closing', reason, facts, more), lastK, facts);
}

/** Freezes k if payment `lastK` is here, else remembers to wait for it. kCap bounds what a lying node makes us wait for. */
export function awaitPayment(life: ChannelLife, lastK: number, facts: Facts): ChannelLife {
  const awaitedK = Math.max(0, Math.min(lastK, facts.kCap ?? 0));
  return facts.k >= awaitedK ? freeze(life, facts) : { ...life, awaitedK };
}

/** Remembers what will be settled: the newest verified payment, never beyond kCap, never changed again. */
export function freeze(life: ChannelLife, facts: Facts): ChannelLife {
  if (life.frozenK !== undefined) return life;
  const { awaitedK: _hereOrGivenUp, ...rest } = life;
  return { ...rest, frozenK: Math.min(facts.k, facts.kCap ?? 0) };
}

/** Freezes k when the awaited payment is here or has been waited for long enough. */
export function freezeWhenDue(life: ChannelLife, facts: Facts): ChannelLife {
  if (life.frozenK !== undefined) return life;
  const isHere = facts.k >= (life.awaitedK ?? facts.kCap ?? 0);
  return isHere || facts.nowMs - life.enteredAtMs >= facts.rules.awaitedPaymentMs ? freeze(life, facts) : life;
}

function isUnfunded(life: ChannelLife): boolean {
  return life.state === 'offered' || (life.state === 'joined' && life.readyAtMs === undefined);
}
