import { verifyPayment, type Ecdsa, type PaymentError, type SettlementTemplate } from '@seedfleet/payment-channel';
import type { CollectedEntries, EndEntry, PaymentEntry } from './entries.js';

/** Why an entry of the payment stream was set aside. */
export type EntryFault =
  | PaymentError
  /** No channel has this id. A database restored to before the join looks the same, so nobody is blamed. */
  | 'unknown-channel'
  /** The channel belongs to another node. */
  | 'foreign-channel'
  /** Our own row of the channel can't be right: nobody is to blame for payments that do not fit it. */
  | 'row-corrupt'
  /** The channel has no funding of which payments could be made. */
  | 'not-funded'
  /** A good payment that came after the channel's k was frozen: not settled, and worth a look. */
  | 'after-freeze'
  /** The message speaks for another node than the one that sent it. */
  | 'sender-mismatch';

/**
 * Every fault, and whether it is one that an honest node can't produce: it verifies before it publishes, and knows its own
 * channels. A payment for a channel without funding is none of them: a database restored to between join and `ready` knows
 * no better.
 */
const IS_FORGERY: Readonly<Record<EntryFault, boolean>> = {
  'foreign-channel': true,
  'sender-mismatch': true,
  'not-strict-der': true,
  'r-or-s-out-of-range': true,
  'high-s': true,
  'k-out-of-range': true,
  'beyond-k-pay': true,
  'beyond-k-cap': true,
  'wrong-network': true,
  'invalid-signature': true,
  'unknown-channel': false,
  'row-corrupt': false,
  'not-funded': false,
  'after-freeze': false,
};

export const ENTRY_FAULTS = Object.keys(IS_FORGERY) as readonly EntryFault[];

/** What the intake knows of a channel; all but `k` never changes once the channel is funded. */
export interface ChannelSnapshot {
  readonly nodeId: string;
  /** Null before the buyer's `ready`, and where the row is corrupt. */
  readonly template: SettlementTemplate | null;
  /** Whether what is stored contradicts itself. */
  readonly isCorrupt: boolean;
  /** A payment number known to be stored; the stored one may be higher. */
  readonly k: number;
}

export interface ParkedEntry {
  readonly nodeId: string;
  readonly channelId: string;
  readonly k: number;
  readonly signature: Uint8Array;
  readonly code: EntryFault;
  readonly seq: number;
}

/** What a batch asks of one channel: its best payment, its end, or both. */
export interface ChannelUpdate {
  readonly channelId: string;
  readonly payment: PaymentEntry | null;
  readonly end: EndEntry | null;
}

export interface Judgement {
  readonly updates: readonly ChannelUpdate[];
  readonly parked: readonly ParkedEntry[];
  /** Nodes to be quarantined, each with the first fault found. */
  readonly forgers: ReadonlyMap<string, EntryFault>;
  readonly verifications: number;
}

/**
 * Decides what of a batch may be stored: of each channel the highest payment that verifies against the intake's own
 * snapshot. Lower ones are superseded and not looked at; failing ones are set aside and the next lower one is tried.
 * @param yieldNow lets other work of the process run; awaited every few verifications.
 */
export async function judgeEntries(
  collected: CollectedEntries,
  snapshots: ReadonlyMap<string, ChannelSnapshot>,
  ecdsa: Ecdsa,
  yieldNow: () => Promise<void>,
): Promise<Judgement> {
  const parked: ParkedEntry[] = [];
  const payments = new Map<string, PaymentEntry>();
  let verifications = 0;
  for (const [channelId, entries] of collected.payments) {
    const snapshot = snapshots.get(channelId);
    let faults = 0;
    for (const entry of entries) {
      // Replayed or overtaken: what is stored is at least as good.
      if (snapshot?.nodeId === entry.nodeId && entry.k <= snapshot.k) break;
      const needsSignature = snapshot?.nodeId === entry.nodeId && snapshot.template !== null;
      if (needsSignature && ++verifications % VERIFICATIONS_PER_TURN === 0) await yieldNow();
      const fault = faultOf(entry, snapshot, ecdsa);
      if (fault === null) {
        payments.set(channelId, entry);
        break;
      }
      parked.push({ ...entry, code: fault });
      // Otherwise a node could keep us verifying; a good payment below comes again with its next batch.
      if (++faults === MAX_FAULTS_PER_CHANNEL) break;
    }
  }
  const ends = new Map<string, EndEntry>();
  for (const end of collected.ends) {
    const snapshot = snapshots.get(end.channelId);
    if (snapshot === undefined || snapshot.nodeId !== end.nodeId) {
      const code = snapshot === undefined ? 'unknown-channel' : 'foreign-channel';
      parked.push({ ...end, signature: new Uint8Array(), code });
    } else if (!ends.has(end.channelId)) ends.set(end.channelId, end);
  }
  for (const { sender, seq } of collected.impersonations) {
    parked.push({ nodeId: sender, channelId: '', k: 0, signature: new Uint8Array(), code: 'sender-mismatch', seq });
  }
  return { updates: merge(payments, ends), parked, forgers: forgersOf(parked), verifications };
}

/** Bad payments of one channel looked at per batch; an honest node sends none. The rest of that channel is passed over. */
const MAX_FAULTS_PER_CHANNEL = 4;

/** About 15 ms of native verification between turns of the event loop. */
const VERIFICATIONS_PER_TURN = 200;

function faultOf(entry: PaymentEntry, snapshot: ChannelSnapshot | undefined, ecdsa: Ecdsa): EntryFault | null {
  if (snapshot === undefined) return 'unknown-channel';
  if (snapshot.nodeId !== entry.nodeId) return 'foreign-channel';
  if (snapshot.isCorrupt) return 'row-corrupt';
  if (snapshot.template === null) return 'not-funded';
  const verdict = verifyPayment(snapshot.template, entry.k, entry.signature, ecdsa);
  return verdict.ok ? null : verdict.code;
}

/** One update per channel, in the order of their ids: the order in which rows are locked. */
function merge(payments: Map<string, PaymentEntry>, ends: Map<string, EndEntry>): ChannelUpdate[] {
  const ids = [...new Set([...payments.keys(), ...ends.keys()])].sort();
  return ids.map((channelId) => ({
    channelId,
    payment: payments.get(channelId) ?? null,
    end: ends.get(channelId) ?? null,
  }));
}

function forgersOf(parked: readonly ParkedEntry[]): Map<string, EntryFault> {
  const forgers = new Map<string, EntryFault>();
  for (const { nodeId, code } of parked) {
    if (IS_FORGERY[code] && !forgers.has(nodeId)) forgers.set(nodeId, code);
  }
  return forgers;
}
