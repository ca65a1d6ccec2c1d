import type { ChainBroadcastState } from '../chain/chain-client.js';
import type { ChannelRow } from '../channels/channel-row.js';
import type { ChannelState } from '@seedfleet/channel-lifecycle';

/** How a stored settlement stands on chain, and what follows for its channel. */
export interface SettlementProgress {
  readonly to: ChannelState;
  /** A code: why the channel is in that state. */
  readonly reason: string;
  readonly detail: string;
  readonly confirmations: number;
  readonly height: number | null;
  /** When to look again, seconds, if no news comes earlier. Null in final states. */
  readonly nextLookSeconds: number | null;
  /** What is mined in the settlement's place, where that is not itself. */
  readonly twin?: Twin;
}

/** Looks without news, seconds. A transaction that is not even in a mempool is looked at more often. */
const LOOK_SECONDS = { stored: 5, mempool: 30, confirmed: 60, rejected: 30, conflicted: 30 } as const;

/** Confirmations at which a foreign spend of the funding output is final, as our own settlement is. */
export const FINAL_CONFIRMATIONS = 6;

/** A transaction with the outputs of our settlement and another txid. */
export interface Twin {
  readonly txid: string;
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** Somebody else's spend of the funding output. */
export interface ForeignSpend {
  readonly txid: string;
  /** 0 while unconfirmed. */
  readonly confirmations: number;
  /** Its block; null while unconfirmed. */
  readonly height: number | null;
  /** It, if it pays what our settlement pays; false if it does not, null while nobody can tell. */
  readonly twin: Twin | false | null;
}

/** Whether it pays what our settlement pays. */
export function isTwinSpend({ twin }: ForeignSpend): boolean {
  return twin !== false && twin !== null;
}

/**
 * The state that follows from what chain-watcher says about the settlement.
 * @param foreign what else spends the funding output, where the broadcast is conflicted or overtaken and that is known.
 */
export function settlementProgress(
  row: ChannelRow,
  broadcast: ChainBroadcastState,
  foreign: ForeignSpend | null,
): SettlementProgress {
  const { state, code, rejectReason, confirmations, confirmedHeight } = broadcast;
  const place = { confirmations, height: confirmedHeight };
  const nowhere = { confirmations: 0, height: null, detail: '' };
  switch (state) {
    case 'stored':
    // Settlements are not withdrawn by us; if somebody did it by hand, this one still has to be looked after.
    case 'withdrawn':
      return {
        to: 'settling',
        reason: unconfirmedReason(row, 'stored'),
        ...nowhere,
        nextLookSeconds: LOOK_SECONDS.stored,
      };
    case 'mempool':
      return {
        to: 'settling',
        reason: unconfirmedReason(row, 'broadcast'),
        ...nowhere,
        nextLookSeconds: LOOK_SECONDS.mempool,
      };
    case 'confirmed':
      return { to: 'settled', reason: 'mined', detail: '', ...place, nextLookSeconds: LOOK_SECONDS.confirmed };
    case 'buried':
      return { to: paysUs(row) ? 'buried' : 'returned', reason: 'buried', detail: '', ...place, nextLookSeconds: null };
    case 'rejected':
      return {
        to: 'settle-rejected',
        reason: code ?? 'rejected',
        ...nowhere,
        detail: rejectReason ?? '',
        nextLookSeconds: LOOK_SECONDS.rejected,
      };
    case 'overtaken':
    case 'conflicted':
      // Not the funding output was spent by another, but what made it.
      if (state === 'overtaken' && foreign === null && row.minedTxid === null) {
        const place = { ...nowhere, detail: rejectReason ?? '' };
        return { to: 'settle-rejected', reason: 'missing-inputs', ...place, nextLookSeconds: LOOK_SECONDS.rejected };
      }
      if (foreign?.twin) return twinProgress(row, foreign, foreign.twin);
      // The twin has left its block, and ours was not sent again yet.
      if (foreign === null && row.minedTxid !== null) {
        return { to: 'settling', reason: 'reorganised', ...nowhere, nextLookSeconds: LOOK_SECONDS.stored };
      }
      if (foreign !== null && foreign.confirmations >= FINAL_CONFIRMATIONS && foreign.twin !== null) {
        // Below kMin nothing was ours: the buyer has its change back, only not through us.
        const to = paysUs(row) ? 'lost' : 'nothing-owed';
        return { to, reason: 'refunded', ...nowhere, detail: foreign.txid, nextLookSeconds: null };
      }
      return {
        to: 'refund-seen',
        reason: foreign?.confirmations === 0 ? 'conflict-in-mempool' : (code ?? 'conflict'),
        ...nowhere,
        detail: foreign?.txid ?? rejectReason ?? '',
        nextLookSeconds: LOOK_SECONDS.conflicted,
      };
  }
}

/** What a twin pays is paid: mined, it is the channel's settlement, and what it makes is our coin. */
function twinProgress(row: ChannelRow, { confirmations, height }: ForeignSpend, twin: Twin): SettlementProgress {
  if (confirmations === 0) {
    const reason = unconfirmedReason(row, 'twin-in-mempool');
    const place = { confirmations, height: null, detail: twin.txid };
    return { to: 'settling', reason, ...place, nextLookSeconds: LOOK_SECONDS.mempool };
  }
  const isFinal = confirmations >= FINAL_CONFIRMATIONS;
  const final = paysUs(row) ? 'buried' : 'returned';
  return {
    to: isFinal ? final : 'settled',
    reason: 'settled-by-twin',
    detail: twin.txid,
    confirmations,
    height,
    nextLookSeconds: isFinal ? null : LOOK_SECONDS.confirmed,
    twin,
  };
}

/**
 * Whether a settlement lacks its funding transaction: that was replaced, or left its block. Not at the first look, which is
 * stored as a refusal like any other.
 */
export function isOrphaned(row: ChannelRow, { to, reason }: SettlementProgress): boolean {
  if (to !== 'settle-rejected' || reason !== 'missing-inputs') return false;
  return row.state === 'lost' || (row.state === to && row.stateReason === reason);
}

/** A settlement that was mined and is not any more left its block by a reorganisation: the story says so. */
function unconfirmedReason(row: ChannelRow, otherwise: string): string {
  const wasMined = row.state === 'settled' || row.state === 'buried' || row.state === 'returned';
  if (wasMined || (row.state === 'settling' && row.stateReason === 'reorganised')) return 'reorganised';
  return otherwise;
}

/** Whether the settlement has an output for us. */
export function paysUs(row: ChannelRow): boolean {
  return row.kMin !== null && (row.frozenK ?? 0n) >= row.kMin;
}
