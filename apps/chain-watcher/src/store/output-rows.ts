import type { WatchedOutputModel } from '@seedfleet/persistence';
import type { OutputLife } from '../watching/output-life.js';

/** A watched output as stored, with its life in the terms of output-life.ts. */
export interface StoredOutput {
  readonly txid: string;
  readonly vout: number;
  readonly label: string;
  readonly version: number;
  readonly life: OutputLife;
  /** Outpoints (`txid:vout`) that the funding transaction spends; empty until our node has it. */
  readonly inputs: readonly string[];
  /** When its conflict was last seen; null where there is none. */
  readonly conflictSeenAt: Date | null;
}

/** Reads a row. A funding that is in no block counts as seen if the row's state says so, or if a spend of it was seen. */
export function outputFromRow(row: WatchedOutputModel): StoredOutput {
  const { txid, vout, label, version, inputs, conflictSeenAt } = row;
  const inBlock = row.fundingHeight !== null && row.fundingHash !== null;
  return {
    txid,
    vout,
    label,
    version,
    inputs,
    conflictSeenAt,
    life: {
      funding: inBlock
        ? { kind: 'block', height: row.fundingHeight ?? 0, hash: row.fundingHash ?? '', mtp: row.fundingMtp ?? 0 }
        : { kind: row.state === 'unseen' ? 'unseen' : 'mempool' },
      spend: row.spendTxid === null ? null : { txid: row.spendTxid, height: row.spendHeight, hash: row.spendHash },
      conflict:
        row.conflictTxid === null
          ? null
          : { txid: row.conflictTxid, height: row.conflictHeight, hash: row.conflictHash },
    },
  };
}
