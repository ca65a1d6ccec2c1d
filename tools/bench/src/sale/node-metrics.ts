import { readFileSync } from 'node:fs';
import type { RunningFleet } from '@seedfleet/fleet';

/** What the node counts about its batches of payments, since it started. */
export interface BatchCounts {
  readonly batches: number;
  readonly entries: number;
  /** Sum over batches of how long the oldest payment waited for the broker's acknowledgement. */
  readonly waitedSeconds: number;
}

/** Reads a node's `/metrics`. */
export async function batchCounts({ state }: RunningFleet, nodeId: string): Promise<BatchCounts> {
  const ready = JSON.parse(readFileSync(state.file('services', `${nodeId}.ready.json`), 'utf8')) as {
    httpPort: number;
  };
  const text = await (await fetch(`http://127.0.0.1:${ready.httpPort}/metrics`)).text();
  const value = (name: string): number =>
    Number(new RegExp(`^seedfleet_node_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return {
    batches: value('payment_batch_entries_count'),
    entries: value('payment_batch_entries_sum'),
    waitedSeconds: value('payment_ack_seconds_sum'),
  };
}
