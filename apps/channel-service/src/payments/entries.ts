import { paymentStream, type StreamMessage } from '@seedfleet/bus';
import type { z } from 'zod';

export type PaymentBatch = z.output<typeof paymentStream.payload>;
export type PaymentMessage = StreamMessage<PaymentBatch>;

/** A payment as a node sent it, with the node that the broker says it came from. */
export interface PaymentEntry {
  readonly nodeId: string;
  readonly channelId: string;
  readonly k: number;
  readonly signature: Uint8Array;
  readonly seq: number;
}

/** The end of a channel's connection. `k` is the last payment that the node verified. */
export interface EndEntry {
  readonly nodeId: string;
  readonly channelId: string;
  readonly k: number;
  readonly reason: string;
  readonly seq: number;
}

export interface CollectedEntries {
  /** Per channel, the highest k first, repetitions once. */
  readonly payments: ReadonlyMap<string, readonly PaymentEntry[]>;
  readonly ends: readonly EndEntry[];
  /** Messages whose sender is not the node they speak for. */
  readonly impersonations: readonly { readonly sender: string; readonly claimed: string; readonly seq: number }[];
  readonly entryCount: number;
}

/**
 * Sorts a batch of messages by channel. The sender is the subject's token: the broker lets a node publish below its own
 * only, so what a message says about itself is not believed.
 */
export function collectEntries(messages: readonly PaymentMessage[]): CollectedEntries {
  const payments = new Map<string, PaymentEntry[]>();
  const ends: EndEntry[] = [];
  const impersonations: { sender: string; claimed: string; seq: number }[] = [];
  let entryCount = 0;
  for (const { seq, keys, payload } of messages) {
    const sender = keys[1] ?? '';
    if (payload.nodeId !== sender) {
      impersonations.push({ sender, claimed: payload.nodeId, seq });
      continue;
    }
    entryCount += payload.payments.length + payload.ends.length;
    for (const { channelId, k, signature } of payload.payments) {
      const known = payments.get(channelId);
      const entry = { nodeId: sender, channelId, k, signature, seq };
      if (known === undefined) payments.set(channelId, [entry]);
      else known.push(entry);
    }
    for (const end of payload.ends) ends.push({ ...end, nodeId: sender, seq });
  }
  for (const [channelId, entries] of payments) payments.set(channelId, newestFirst(entries));
  return { payments, ends, impersonations, entryCount };
}

function newestFirst(entries: readonly PaymentEntry[]): PaymentEntry[] {
  const sorted = [...entries].sort((a, b) => b.k - a.k);
  return sorted.filter((entry, place) => {
    const before = sorted[place - 1];
    return (
      before === undefined ||
      before.k !== entry.k ||
      before.nodeId !== entry.nodeId ||
      !Buffer.from(before.signature).equals(entry.signature)
    );
  });
}
