import { classifyRefusal } from '@seedfleet/bitcoin-node';
import type { BroadcastModel } from '@seedfleet/persistence';
import type { BroadcastLife, BroadcastState, RefusalCode } from '../broadcasting/broadcast-life.js';

/** A broadcast as stored. */
export interface StoredBroadcast {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly label: string;
  /** The transaction that it pays for and is sent together with; null for most. */
  readonly parentTxid: string | null;
  readonly version: number;
  readonly life: BroadcastLife;
}

const STATES: readonly string[] = [
  'stored',
  'mempool',
  'confirmed',
  'buried',
  'rejected',
  'conflicted',
  'overtaken',
  'withdrawn',
];

/** Reads a row. The refusal's code is not stored: it follows from the state and the node's words. */
export function broadcastFromRow(row: BroadcastModel): StoredBroadcast {
  if (!STATES.includes(row.state)) throw new Error(`broadcast ${row.txid} has the unknown state "${row.state}"`);
  const state = row.state as BroadcastState;
  const { rivalHeight, rivalHash } = row;
  const inBlock = row.confirmedHeight !== null && row.confirmedHash !== null;
  return {
    txid: row.txid,
    raw: row.raw,
    label: row.label,
    parentTxid: row.parentTxid,
    version: row.version,
    life: {
      state,
      code: row.rejectReason === null ? null : codeOf(state, row.rejectReason),
      reason: row.rejectReason,
      inclusion: inBlock ? { height: row.confirmedHeight ?? 0, hash: row.confirmedHash ?? '' } : null,
      confirmations: row.confirmations,
      rival:
        rivalHeight === null || rivalHash === null
          ? null
          : { txid: row.rivalTxid, height: rivalHeight, hash: rivalHash },
      attempts: row.attempts,
      nextAttemptMs: row.nextAttemptAt === null ? null : row.nextAttemptAt.getTime(),
    },
  };
}

/** A conflict in which the node misses inputs is one with a transaction that was mined. */
function codeOf(state: BroadcastState, reason: string): RefusalCode {
  const code = classifyRefusal(reason);
  return (state === 'conflicted' || state === 'overtaken') && code === 'missing-inputs' ? 'double-spent' : code;
}
