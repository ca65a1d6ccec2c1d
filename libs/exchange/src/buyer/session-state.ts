import type { BuyerTerms } from '@seedfleet/wire';

import type { ConnectionState } from '../connection/state.js';
import type { PieceLedger } from './piece-ledger.js';
import type {
  BuyerPhase,
  BuyerSessionConfig,
  BuyerSessionEffect,
  ChosenSeller,
  ConnectionId,
  SessionFunding,
} from './session-types.js';

/** One connection of the session. */
export interface Link {
  readonly id: ConnectionId;
  readonly conn: ConnectionState;
  /** When the running speed test was asked for, on the host's clock. */
  testStartedAtMs: number | undefined;
  tested: boolean;
  latencyMs: number | undefined;
  /** Smoothed time per piece while pieces were owed, ms; undefined before the first piece. */
  pieceMs: number | undefined;
  /** Since when the next piece has been owed, on the host's clock; undefined while none is. */
  owedSinceMs: number | undefined;
}

/** The session; changed in place by its steps, opaque to hosts, which ask `buyerSessionStatus`. */
export interface BuyerSessionState {
  readonly config: BuyerSessionConfig;
  readonly links: Map<ConnectionId, Link>;
  readonly ledger: PieceLedger;
  terms: BuyerTerms;
  phase: BuyerPhase;
  /** What new connections are told: `buy`, or `observe` after the host stopped buying. */
  mode: 'buy' | 'observe';
  /** Serial number of the latest contract attempt. */
  contract: number;
  chosen: readonly ChosenSeller[];
  fundings: readonly SessionFunding[];
  /** Time of the present event, for speed tests. */
  nowMs: number;
  effects: BuyerSessionEffect[];
}
