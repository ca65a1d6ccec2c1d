import type { ChannelLife, Facts, Reason } from './life.js';
import type { ChannelState } from './states.js';

/** States in which what is mined is remembered. */
const RESTS_ON_MINED: ReadonlySet<ChannelState> = new Set(['settled', 'buried', 'returned']);

export function enter(
  life: ChannelLife,
  state: ChannelState,
  reason: Reason,
  facts: Facts,
  more: Partial<ChannelLife> = {},
): ChannelLife {
  const { detail: _old, minedTxid, ...rest } = life;
  const kept = minedTxid !== undefined && RESTS_ON_MINED.has(state) ? { ...rest, minedTxid } : rest;
  // A state that is entered again for the same reason has not been left, so its clock runs on.
  const same = life.state === state && life.reason === reason;
  return { ...kept, state, reason, enteredAtMs: same ? life.enteredAtMs : facts.nowMs, ...more };
}
