import { BURIAL_CONFIRMATIONS } from '../defaults.js';

/**
 * The life of a watched output: what blocks and mempool say about its funding and its spending. Pure: every function
 * answers with the next state, and with the same object when nothing changed.
 */

/** Where the transaction that creates the output is. */
export type Funding =
  /** Neither in the active chain nor in our mempool. */
  | { readonly kind: 'unseen' }
  | { readonly kind: 'mempool' }
  /** `mtp`: median time past of the block before, where a relative lock starts counting (BIP 68); seconds. */
  | { readonly kind: 'block'; readonly height: number; readonly hash: string; readonly mtp: number };

/** The transaction that spends the output; height and hash are null while it is in the mempool. */
export interface Spend {
  readonly txid: string;
  readonly height: number | null;
  readonly hash: string | null;
}

export interface OutputLife {
  readonly funding: Funding;
  readonly spend: Spend | null;
  /**
   * Another transaction that spends an input of the funding: at most one of the two can be mined. The newest that was
   * seen, and remembered until the funding is in a block: whoever tried once may try again.
   */
  readonly conflict: Spend | null;
}

export type OutputState = 'unseen' | 'mempool' | 'confirmed' | 'spent-mempool' | 'spent-confirmed';

/** A block as far as outputs are concerned. */
export interface BlockPlace {
  readonly height: number;
  readonly hash: string;
  /** Median time past of the block before this one, seconds. */
  readonly previousMtp: number;
}

export const UNSEEN: OutputLife = { funding: { kind: 'unseen' }, spend: null, conflict: null };

/** The state by which readers know it. A spend outranks the funding: it is what has to be acted on. */
export function outputState(life: OutputLife): OutputState {
  if (life.spend) return life.spend.height === null ? 'spent-mempool' : 'spent-confirmed';
  return life.funding.kind === 'block' ? 'confirmed' : life.funding.kind;
}

/**
 * A block was added to the active chain. `creates`: it holds the funding; `spender`: it holds this spend; `conflict`: it
 * holds this spend of an input of the funding.
 */
export function blockConnected(
  life: OutputLife,
  block: BlockPlace,
  found: { readonly creates: boolean; readonly spenderTxid: string | null; readonly conflictTxid: string | null },
): OutputLife {
  const { height, hash } = block;
  const funding: Funding = found.creates ? { kind: 'block', height, hash, mtp: block.previousMtp } : life.funding;
  const spend = found.spenderTxid === null ? life.spend : { txid: found.spenderTxid, height, hash };
  const rival = found.conflictTxid === null ? life.conflict : { txid: found.conflictTxid, height, hash };
  const conflict = found.creates ? null : rival;
  const touched = found.creates || found.spenderTxid !== null || found.conflictTxid !== null;
  return touched ? { funding, spend, conflict } : life;
}

/**
 * A block left the active chain. What it held is expected back in the mempool; the next look there decides.
 */
export function blockDisconnected(life: OutputLife, hash: string): OutputLife {
  const fundingGone = life.funding.kind === 'block' && life.funding.hash === hash;
  const spendGone = life.spend?.hash === hash;
  const conflictGone = life.conflict?.hash === hash;
  if (!fundingGone && !spendGone && !conflictGone) return life;
  return {
    funding: fundingGone ? { kind: 'mempool' } : life.funding,
    spend: life.spend && spendGone ? unmined(life.spend) : life.spend,
    conflict: life.conflict && conflictGone ? unmined(life.conflict) : life.conflict,
  };
}

/** The mempool was read at the tip that `life` stands at. Says nothing about what is in a block. */
export function mempoolRead(
  life: OutputLife,
  seen: { readonly funded: boolean; readonly spenderTxid: string | null; readonly conflictTxid: string | null },
): OutputLife {
  const funding: Funding = life.funding.kind === 'block' ? life.funding : { kind: seen.funded ? 'mempool' : 'unseen' };
  const settled = life.spend !== null && life.spend.height !== null;
  const spend = settled ? life.spend : asMempoolSpend(life.spend, seen.spenderTxid);
  const decided = funding.kind === 'block' || (life.conflict !== null && life.conflict.height !== null);
  const conflict = decided ? life.conflict : (asMempoolSpend(life.conflict, seen.conflictTxid) ?? life.conflict);
  const same = funding.kind === life.funding.kind && spend === life.spend && conflict === life.conflict;
  return same ? life : { funding, spend, conflict };
}

/** Blocks on top of the funding, its own included; 0 outside the chain. */
export function confirmations(life: OutputLife, tipHeight: number): number {
  return life.funding.kind === 'block' ? Math.max(0, tipHeight - life.funding.height + 1) : 0;
}

/** True while each new block is news: until funding, spend or the rival of the funding is buried. */
export function isAging(life: OutputLife, tipHeight: number): boolean {
  const young = (height: number): boolean => tipHeight - height + 1 <= BURIAL_CONFIRMATIONS;
  const fundingYoung = life.funding.kind === 'block' && young(life.funding.height);
  const spendYoung = life.spend !== null && life.spend.height !== null && young(life.spend.height);
  const { conflict } = life;
  const conflictYoung = conflict !== null && conflict.height !== null && young(conflict.height);
  return fundingYoung || spendYoung || conflictYoung;
}

const unmined = ({ txid }: Spend): Spend => ({ txid, height: null, hash: null });

function asMempoolSpend(known: Spend | null, txid: string | null): Spend | null {
  if (txid === null) return null;
  return known?.txid === txid ? known : { txid, height: null, hash: null };
}
