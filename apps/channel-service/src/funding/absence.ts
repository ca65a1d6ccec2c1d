import type { Policy } from '@seedfleet/policy';
import type { ChainOutput } from '../chain/chain-client.js';
import type { ChannelRow } from '../channels/channel-row.js';
import type { FundingRefusal, FundingWait } from './funding-decision.js';

/** What took the place of a funding that our node does not have. */
export type Conflict = NonNullable<ChainOutput['conflict']>;

/** How a channel stands whose funding transaction our node does not have. */
export type Absence =
  | {
      readonly kind: 'wait';
      readonly code: Extract<FundingWait, 'funding-unseen' | 'funding-conflict'>;
      readonly detail: string;
      /** Why it is in that state, for its story. */
      readonly reason: 'funding-vanished' | 'funding-conflict';
      readonly nextLookSeconds: number;
    }
  | {
      readonly kind: 'over';
      readonly reason: Extract<FundingRefusal, 'funding-not-seen' | 'funding-vanished' | 'funding-double-spent'>;
    };

/** Looks without news, seconds: at one that may come any moment; at two of which one will be mined. */
const LOOK_SECONDS = { unseen: 1, conflict: 15 } as const;

/**
 * A rival in a block ends the matter, as far as a block does. While both may still be mined, the channel waits for as long
 * as any unconfirmed funding is waited for; without a rival, for as long as a transaction needs to spread.
 * @param conflict known only of a funding that was claimed, and so is watched.
 */
export function absenceOf(row: ChannelRow, conflict: Conflict | null, nowMs: number, policy: Policy): Absence {
  const { fundingSeenMs, unconfirmedMs } = policy.timeouts;
  const waitedMs = nowMs - row.stateEnteredAt.getTime();
  if (conflict === null) {
    if (row.outpointClaimed && row.stateReason !== 'funding-vanished') return vanished;
    if (waitedMs <= fundingSeenMs) return vanished;
    return { kind: 'over', reason: row.outpointClaimed ? 'funding-vanished' : 'funding-not-seen' };
  }
  if (conflict.height !== null) return { kind: 'over', reason: 'funding-double-spent' };
  if (row.stateReason === 'funding-conflict' && waitedMs > unconfirmedMs) {
    return { kind: 'over', reason: 'funding-vanished' };
  }
  return {
    kind: 'wait',
    code: 'funding-conflict',
    detail: `${conflict.txid} spends an input of it`,
    reason: 'funding-conflict',
    nextLookSeconds: LOOK_SECONDS.conflict,
  };
}

const vanished: Absence = {
  kind: 'wait',
  code: 'funding-unseen',
  detail: 'the funding transaction is gone',
  reason: 'funding-vanished',
  nextLookSeconds: LOOK_SECONDS.unseen,
};
