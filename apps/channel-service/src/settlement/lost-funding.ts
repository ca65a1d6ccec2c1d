import type { Conflict } from '../funding/absence.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { FINAL_CONFIRMATIONS } from './settlement-progress.js';

/** Why what was paid over a funding is lost with it, and what its story notes. */
export interface Gone {
  readonly reason: 'funding-double-spent' | 'funding-never-returned';
  readonly data: Readonly<Record<string, string | number>>;
}

/**
 * Why a funding that our node does not have will not come any more: its rival is final, or nobody has mined it for all the
 * time that it was watched. Null while it may come. What was booked as lost stays so until it is there again.
 */
export function whyGone(
  row: Pick<ChannelRow, 'state' | 'stateEnteredAt'>,
  conflict: Conflict | null,
  {
    tipHeight,
    nowMs,
    watchMs,
  }: { readonly tipHeight: number | null; readonly nowMs: number; readonly watchMs: number },
): Gone | null {
  if (conflict !== null && conflict.height !== null && tipHeight !== null) {
    const confirmations = tipHeight - conflict.height + 1;
    const data = { detail: conflict.txid, height: conflict.height };
    if (confirmations >= FINAL_CONFIRMATIONS) return { reason: 'funding-double-spent', data };
  }
  const isOver = row.state === 'lost' || nowMs - row.stateEnteredAt.getTime() > watchMs;
  return isOver ? { reason: 'funding-never-returned', data: {} } : null;
}
