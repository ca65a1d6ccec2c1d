import { ownerOf, type Action, type ChannelState, type Owner } from '@seedfleet/channel-lifecycle';
import type { ChannelRow } from './channel.repository.js';

/** What happens next to a channel. */
export interface NextStep {
  readonly what: Action;
  /** The role of channel-service that does it. */
  readonly owner: Owner;
  /** When at latest, if no news of peer or chain comes earlier; may lie in the past: then it is due. */
  readonly at: Date | null;
}

/** By what is stored; null in final states, in which only a deep reorganisation changes anything. */
export function nextStep(row: Pick<ChannelRow, 'state' | 'fundingTxid' | 'frozenK' | 'nextActionAt'>): NextStep | null {
  const state = row.state as ChannelState;
  const owner = ownerOf(state);
  const what = actionIn(state, row);
  return owner === null || what === null ? null : { what, owner, at: row.nextActionAt };
}

function actionIn(
  state: ChannelState,
  { fundingTxid, frozenK }: Pick<ChannelRow, 'fundingTxid' | 'frozenK'>,
): Action | null {
  switch (state) {
    case 'offered':
      return 'send-joining';
    case 'joined':
      return fundingTxid === null ? 'await-ready' : 'find-funding';
    case 'funding-seen':
    case 'funded':
      return 'follow-funding';
    case 'closing':
      return frozenK === null ? 'await-payment' : 'sign-settlement';
    case 'settling':
    case 'settled':
    case 'refund-seen':
      return 'follow-settlement';
    case 'settle-rejected':
      return 'retry-settlement';
    case 'funding-missing':
      return 'await-funding';
    default:
      return null;
  }
}
