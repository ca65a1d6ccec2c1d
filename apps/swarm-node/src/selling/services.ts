import type { PieceStore } from '@seedfleet/bittorrent';
import type { Bus } from '@seedfleet/bus';
import type { Ecdsa, Network } from '@seedfleet/payment-channel';
import type { Policy } from '@seedfleet/policy';
import type { Logger } from '@seedfleet/service-kit';
import type { Verifier } from '../content/verifier.js';
import type { DemandBook } from '../demand/demand-book.js';
import type { FreeBudget } from '../giving/free-budget.js';
import type { Exposure } from '../limits/exposure.js';
import type { JoinPlaces } from '../limits/join-places.js';
import type { SourceScores } from '../limits/source-scores.js';
import type { SpeedTestBudget } from '../limits/speed-test-budget.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { Payments } from '../payments/payments.js';
import type { Quotes } from './quotes.js';

/** What every connection of the node shares. */
export interface SellingServices {
  readonly nodeId: string;
  readonly network: Network;
  readonly policy: Policy;
  readonly ecdsa: Ecdsa;
  readonly bus: Pick<Bus, 'request'>;
  readonly pieces: PieceStore;
  readonly verifier: Pick<Verifier, 'distrust'>;
  readonly payments: Pick<Payments, 'begin' | 'pay' | 'end'>;
  readonly quotes: Quotes;
  readonly exposure: Exposure;
  readonly joins: JoinPlaces;
  readonly sources: SourceScores;
  readonly speedTests: SpeedTestBudget;
  readonly demand: DemandBook;
  readonly free: FreeBudget;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
  /** Port that leechers reach this node by. */
  readonly peerPort: number;
  /** Monotonic clock. */
  readonly nowMs: () => number;
}
