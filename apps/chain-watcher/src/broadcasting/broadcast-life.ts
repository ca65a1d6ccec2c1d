import { isHeldByNode, type BroadcastCode } from '@seedfleet/bitcoin-node';
import { BURIAL_CONFIRMATIONS, MEMPOOL_RECHECK_MS, RETRY_FIRST_MS, RETRY_LONGEST_MS } from '../defaults.js';

/**
 * The life of a transaction that the fleet wants mined. Pure. Every state but `buried` and `overtaken` has a next attempt or
 * waits for blocks; nothing waits for ever, and nothing that can't be mined is sent for ever.
 */
export type BroadcastState =
  /** Stored, and not known to be held by the node: never sent, or its block was reorganised away. Sent next. */
  | 'stored'
  /** The node holds it unconfirmed. Handed over again from time to time, as nodes forget. */
  | 'mempool'
  /** In a block of the active chain with fewer than six confirmations. Blocks move it on. */
  | 'confirmed'
  /** Six confirmations. Nothing more is done unless its block is reorganised away. */
  | 'buried'
  /** The node refuses it, for the reason stored. Tried again with growing pauses and at each block. */
  | 'rejected'
  /** Another transaction spends one of its inputs, in the mempool or in a block. Tried again like `rejected`. */
  | 'conflicted'
  /**
   * What spends one of its inputs, or an input of the transaction that makes one, is in a block with six confirmations: it
   * can't be mined, and is sent no more. Only the going of that block moves it on.
   */
  | 'overtaken'
  /** Another one was sent in its place, so it is not sent any more. Whoever has it may still mine it: blocks move it on. */
  | 'withdrawn';

/** Why the node does not hold it: the node adapter's codes, and ours. */
export type RefusalCode =
  | BroadcastCode
  /** An input was spent by another confirmed transaction. */
  | 'double-spent';

export interface Inclusion {
  readonly height: number;
  readonly hash: string;
}

/** What was mined where this transaction would be. */
export interface Rival {
  /** Null where nobody could tell which one it is. */
  readonly txid: string | null;
  /** Its block, or where that is not known a later one: the tip at which it was found. */
  readonly height: number;
  readonly hash: string;
}

export interface BroadcastLife {
  readonly state: BroadcastState;
  readonly code: RefusalCode | null;
  /** The node's own words for the refusal. */
  readonly reason: string | null;
  readonly inclusion: Inclusion | null;
  readonly confirmations: number;
  /** While `conflicted` with what is in a block, and once `overtaken`. */
  readonly rival: Rival | null;
  /** Attempts since the state was last left for the better; the pause grows with it. */
  readonly attempts: number;
  /** When to hand it to the node next, Unix milliseconds; null where only blocks move it on. */
  readonly nextAttemptMs: number | null;
}

/** As stored before the first attempt. */
export const storedLife = (nowMs: number): BroadcastLife => ({
  state: 'stored',
  code: null,
  reason: null,
  inclusion: null,
  confirmations: 0,
  rival: null,
  attempts: 0,
  nextAttemptMs: nowMs,
});

/** What an attempt to send it brought. */
export type Attempt =
  | { readonly kind: 'no-answer' }
  | { readonly kind: 'answer'; readonly code: BroadcastCode; readonly reason: string }
  /** Refused because another confirmed transaction spends an input; `depth` counts its block and those on top of it. */
  | { readonly kind: 'double-spent'; readonly reason: string; readonly rival: Rival | null; readonly depth: number }
  /** Already in a block of the chain as far as we follow it. */
  | { readonly kind: 'in-chain'; readonly inclusion: Inclusion; readonly confirmations: number };

export function attempted(life: BroadcastLife, attempt: Attempt, nowMs: number): BroadcastLife {
  if (isOver(life)) return life;
  switch (attempt.kind) {
    case 'no-answer':
      return { ...life, attempts: life.attempts + 1, nextAttemptMs: nowMs + pauseMs(life.attempts) };
    case 'in-chain':
      return included(life, attempt.inclusion, attempt.confirmations);
    case 'double-spent': {
      const { reason, rival, depth } = attempt;
      const conflicted = { ...refused(life, 'conflicted', 'double-spent', reason, nowMs), rival };
      if (rival === null || depth < BURIAL_CONFIRMATIONS) return conflicted;
      return { ...conflicted, state: 'overtaken', attempts: 0, nextAttemptMs: null };
    }
    case 'answer':
      if (!isHeldByNode(attempt.code)) {
        const state = attempt.code === 'conflict' ? 'conflicted' : 'rejected';
        return refused(life, state, attempt.code, attempt.reason, nowMs);
      }
      return {
        ...life,
        state: 'mempool',
        code: null,
        reason: null,
        rival: null,
        attempts: 0,
        nextAttemptMs: nowMs + MEMPOOL_RECHECK_MS,
      };
  }
}

/** Whether only blocks move it on: it is not sent. */
export function isOver({ state }: BroadcastLife): boolean {
  return state === 'confirmed' || state === 'buried' || state === 'overtaken' || state === 'withdrawn';
}

/** It is sent no more. One that is in a block stays there. */
export function withdrawn(life: BroadcastLife): BroadcastLife {
  if (life.inclusion !== null || life.state === 'withdrawn') return life;
  return { ...life, state: 'withdrawn', rival: null, attempts: 0, nextAttemptMs: null };
}

/** A block was added; `holds` if it contains the transaction. */
export function broadcastBlockConnected(life: BroadcastLife, block: Inclusion, holds: boolean): BroadcastLife {
  if (holds) return included(life, block, 1);
  if (life.inclusion === null || life.state === 'buried') return life;
  return included(life, life.inclusion, block.height - life.inclusion.height + 1);
}

/** A block left the active chain: what it held has to be sent again, and what it kept out can be. */
export function broadcastBlockDisconnected(life: BroadcastLife, hash: string, nowMs: number): BroadcastLife {
  if (life.inclusion?.hash !== hash && life.rival?.hash !== hash) return life;
  return storedLife(nowMs);
}

function included(life: BroadcastLife, inclusion: Inclusion, confirmations: number): BroadcastLife {
  return {
    ...life,
    state: confirmations >= BURIAL_CONFIRMATIONS ? 'buried' : 'confirmed',
    code: null,
    reason: null,
    inclusion,
    confirmations,
    rival: null,
    attempts: 0,
    nextAttemptMs: null,
  };
}

function refused(
  life: BroadcastLife,
  state: 'rejected' | 'conflicted',
  code: RefusalCode,
  reason: string,
  nowMs: number,
): BroadcastLife {
  const attempts = life.attempts + 1;
  return { ...life, state, code, reason, rival: null, attempts, nextAttemptMs: nowMs + pauseMs(life.attempts) };
}

const pauseMs = (attempts: number): number => Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempts, 10), RETRY_LONGEST_MS);
