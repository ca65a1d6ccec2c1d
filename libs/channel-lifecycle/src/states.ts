/**
 * The states of a channel. Each is persisted with the reason it was entered for; the comment says what is true in it,
 * who moves it on, and by when. Nothing waits for ever: every state that is not final has a next action (`nextAction`).
 *
 *   offered → joined → funding-seen → funded → closing ─┬→ settling → settled ─┬→ buried
 *                                                       └→ nothing-owed        └→ returned
 *
 *   join-expired, refused             before anything was served
 *   funding-missing, refund-seen,     from every state in which the chain can say so
 *   settle-rejected, lost
 */
export const CHANNEL_STATES = [
  /**
   * A contract key is taken for a join and stored; our answer may not have left yet. The intake sends it, or lets the
   * join expire.
   */
  'offered',
  /**
   * `joining_contract` was sent; no money yet. The buyer funds when its user clicks, possibly never: the intake expires
   * the join when the quote is stale. After `ready` it looks for the funding transaction, for two minutes.
   */
  'joined',
  /**
   * The funding output was seen and is ours, but not deep enough to serve all. The intake follows it until it is deep
   * enough, vanishes, stays unconfirmed for hours, or the deadline comes.
   */
  'funding-seen',
  /** Deep enough for its value: everything up to kCap may be served. The intake follows it until the deadline. */
  'funded',
  /**
   * No piece leaves any more. Payments that the node took are awaited for some seconds, then k is frozen. The settler
   * decides by k whether there is anything to settle, and stores the signed settlement.
   */
  'closing',
  /** The settlement's bytes are stored and handed to the chain; not mined. The settler keeps it going until it is. */
  'settling',
  /** The settlement is mined, not yet deep enough to be final. The settler follows it; a reorganisation moves it back. */
  'settled',
  /** The settlement pays us and is final. */
  'buried',
  /** The settlement gave the buyer its change, paid us nothing (k below kMin), and is final. */
  'returned',
  /** Nothing to settle: k = 0, or too little to return the change with, or left to the buyer's refund. Final. */
  'nothing-owed',
  /** Joined, but never funded: it waited too long, or the connection ended before `ready`. Final. */
  'join-expired',
  /** The funding failed a check or was never seen; nothing was served. Final. */
  'refused',
  /**
   * The funding transaction was seen and is gone: replaced, or out of a reorganised block. No piece leaves. The settler
   * watches for its return; k is frozen when it stays away for two minutes, and given up after two weeks.
   */
  'funding-missing',
  /** The node refuses the settlement. The settler tries again, with growing pauses, and somebody is told. */
  'settle-rejected',
  /**
   * Another transaction spends the funding output, and is not final yet: it can only be the buyer's refund. The settler
   * keeps our settlement going; whichever is mined first wins.
   */
  'refund-seen',
  /** What was owed can't be collected any more: the refund is final, or the funding never came back. Final. */
  'lost',
] as const;

export type ChannelState = (typeof CHANNEL_STATES)[number];

/** Who moves a channel on. */
export type Owner = 'intake' | 'settler';

interface StateFacts {
  /** Who acts next; null in final states. */
  readonly owner: Owner | null;
  /** Whether pieces may leave, within the verdict's allowance. */
  readonly serves: boolean;
}

const STATE_FACTS: Readonly<Record<ChannelState, StateFacts>> = {
  offered: { owner: 'intake', serves: false },
  joined: { owner: 'intake', serves: false },
  'funding-seen': { owner: 'intake', serves: true },
  funded: { owner: 'intake', serves: true },
  closing: { owner: 'settler', serves: false },
  settling: { owner: 'settler', serves: false },
  settled: { owner: 'settler', serves: false },
  buried: { owner: null, serves: false },
  returned: { owner: null, serves: false },
  'nothing-owed': { owner: null, serves: false },
  'join-expired': { owner: null, serves: false },
  refused: { owner: null, serves: false },
  'funding-missing': { owner: 'settler', serves: false },
  'settle-rejected': { owner: 'settler', serves: false },
  'refund-seen': { owner: 'settler', serves: false },
  lost: { owner: null, serves: false },
};

export function isFinal(state: ChannelState): boolean {
  return STATE_FACTS[state].owner === null;
}

export function ownerOf(state: ChannelState): Owner | null {
  return STATE_FACTS[state].owner;
}

/** Whether pieces may leave in this state, within the verdict's allowance and before the deadline. */
export function mayServe(state: ChannelState): boolean {
  return STATE_FACTS[state].serves;
}

/** Final states that say something about the chain, so that a reorganisation deeper than their depth undoes them. */
export const CHAIN_FINAL_STATES = ['buried', 'returned', 'lost'] as const satisfies readonly ChannelState[];

export const FINAL_STATES: readonly ChannelState[] = CHANNEL_STATES.filter(isFinal);

/** States in which the channel is looked after by the intake, and by the settler. */
export const INTAKE_STATES: readonly ChannelState[] = CHANNEL_STATES.filter((state) => ownerOf(state) === 'intake');
export const SETTLER_STATES: readonly ChannelState[] = CHANNEL_STATES.filter((state) => ownerOf(state) === 'settler');
