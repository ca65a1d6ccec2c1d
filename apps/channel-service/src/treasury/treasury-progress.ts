import type { ChainBroadcastState } from '../chain/chain-client.js';
import type { TreasuryMove } from './treasury-repository.js';
import { isMined } from './treasury-repository.js';
import type { TreasuryRow } from './treasury-row.js';

/** Looks without news, seconds. */
const LOOK_SECONDS = { unsent: 5, waiting: 30, mined: 60, given: 120 } as const;

/**
 * Where a transaction of the treasury stands by what chain-watcher says. One that was replaced or given up stays so unless
 * a block holds it.
 */
export function treasuryProgress(row: TreasuryRow, broadcast: ChainBroadcastState): TreasuryMove {
  const { state, code, confirmations, confirmedHeight: height } = broadcast;
  const nowhere = { height: null, confirmations: 0 };
  switch (state) {
    case 'confirmed':
      return { state: 'confirmed', reason: 'mined', height, confirmations, nextLookSeconds: LOOK_SECONDS.mined };
    case 'buried':
      return { state: 'buried', reason: 'buried', height, confirmations, nextLookSeconds: null };
    default: {
      if (row.state === 'void') return { state: 'void', reason: row.stateReason, ...nowhere, nextLookSeconds: null };
      if (row.state === 'replaced') {
        return { state: 'replaced', reason: row.stateReason, ...nowhere, nextLookSeconds: LOOK_SECONDS.given };
      }
      const reason = isMined(row.state) ? 'reorganised' : (code ?? state);
      const nextLookSeconds = state === 'stored' ? LOOK_SECONDS.unsent : LOOK_SECONDS.waiting;
      if (state === 'overtaken') return { state: 'conflicted', reason, ...nowhere, nextLookSeconds };
      return { state: state === 'withdrawn' ? 'stored' : state, reason, ...nowhere, nextLookSeconds };
    }
  }
}
