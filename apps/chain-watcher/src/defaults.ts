/** Numbers of the chain watcher, each with its reason. */

/** Confirmations after which revenue counts as final. Policy: burial at 6. */
export const BURIAL_CONFIRMATIONS = 6;

/** Blocks remembered, and so the deepest reorganisation that is followed step by step. Policy watches to 144 blocks. */
export const REMEMBERED_BLOCKS = 200;

/** Headers asked for per step while catching up: one commit per block, one look at the node per batch. */
export const BLOCK_BATCH = 50;

/** How often the node is asked when ZMQ says nothing. Polling is the truth; this bounds how late it can be. */
export const POLL_MS = 2_000;

/** Least pause between two looks at the mempool: mainnet announces several transactions a second. */
export const HINT_PAUSE_MS = 250;

/** How often the state of the chain is published. Its age is part of a node's lease, which is minutes long. */
export const STATUS_EVERY_MS = 5_000;

/** How often fee estimates are read: nodes recompute them once per block. */
export const FEES_EVERY_MS = 30_000;

/** Samples of a day at one per FEES_EVERY_MS. */
export const FEE_SAMPLES = (24 * 3_600_000) / FEES_EVERY_MS;

/** Fee rate assumed where the node has no estimate: 1 sat/vB, the least that has always been relayed. */
export const FALLBACK_FEE_SAT_PER_KVB = 1_000n;

/** Outputs looked at in the mempool per round; more wait for the next round, oldest look first. */
export const MEMPOOL_OUTPUTS_PER_ROUND = 20_000;

/** Outputs whose past is looked up per round, when that could not be done on request. */
export const NEW_OUTPUTS_PER_ROUND = 200;

/** Outputs that may be watched at once; beyond it a request is refused and counted. */
export const MAX_WATCHED_OUTPUTS = 500_000;

/**
 * Inputs of a funding transaction that are watched for other spends; wallets make payments from a handful. A rival that
 * spends only later ones is noticed all the same when it pushes the funding out, just not by name.
 */
export const MAX_INPUTS_WATCHED = 100;

/** Blocks read to find who spent an output before it was watched: a week, longer than any lock that is sold. */
export const SPEND_SEARCH_BLOCKS = 1_008;

/** Broadcasts tried per round, so that one round stays short. */
export const BROADCASTS_PER_ROUND = 100;

/** A transaction in the mempool is handed to the node again this often, in case it was evicted. */
export const MEMPOOL_RECHECK_MS = 10_000;

/** First and longest pause before a refused transaction is tried again; a new block ends every pause. */
export const RETRY_FIRST_MS = 5_000;
export const RETRY_LONGEST_MS = 600_000;

/** Age of the last successful look at the node beyond which the service calls itself unavailable. */
export const STALE_AFTER_MS = 60_000;

/** How long the node may be unreachable or loading at start before the service gives up and says so. */
export const START_PATIENCE_MS = 30_000;

/** Work waiting for its turn; beyond it requests are refused. */
export const MAX_WAITING_WORK = 2_000;

/** How long a request may wait for the node before it is answered with what is stored; askers wait 5 s. */
export const ANSWER_WITHIN_MS = 3_000;

/** How long a question about an output may wait until the blocks of its answer are followed; askers wait 3 s. */
export const FOLLOW_WITHIN_MS = 2_000;

/** How long one call to the node goes on trying. Short, as the next round tries again and requests wait their turn. */
export const NODE_RETRY_MS = 1_000;

const DAY_MS = 86_400_000;

/** How long what is no longer needed is kept. */
export const KEPT = {
  /** Sent messages: long enough to ask what was told to whom. Policy: 7 days. */
  outboxMs: 7 * DAY_MS,
  /** Outputs that nobody funded. Policy: unconfirmed channels are watched for 14 days. */
  unseenOutputsMs: 14 * DAY_MS,
  /**
   * Spent outputs, and transactions that are buried, overtaken or withdrawn, after their last change: 30 days longer than
   * channels are hot, whose checks compare with them. And only below REMEMBERED_BLOCKS.
   */
  recordsMs: 120 * DAY_MS,
};
/** How often dated orders are looked at: they are minutes apart, and a look is one query. */
export const ORDERS_EVERY_MS = 2_000;

/** Orders sent per look: they come due by tens at one block, and each costs some questions to the node. */
export const ORDERS_PER_ROUND = 100;

/**
 * Orders are kept so long after everybody may send them, seconds: longer than the chain may be reorganised, and than an
 * operator is away.
 */
export const ORDERS_KEPT_SECONDS = 30 * 86_400;

/** Orders whose standing the tower tells at once: at most about 400 kB, below the broker's limit of 1 MB. */
export const ORDERS_PER_REPORT = 100;

/** How often the tower tries to reach the fleet, and to tell what it holds. */
export const TOWER_RETRY_MS = 2_000;

/** Orders that were sent and are told of again at each start of the tower. */
export const TOWER_SENT_REPORTED = 10_000;

/** The tower relays no events; rows of its outbox are dropped this often. */
export const TOWER_OUTBOX_DROP_MS = 600_000;

/**
 * How long a chain-watcher that hangs keeps the work from the one that stands by. Nodes sell on for ten minutes of this, and
 * margins are hours: what counts is that a pause of the process, or of Postgres, is not taken for its end.
 */
export const LEASE_MS = 10_000;

/** How often the lease is renewed: several may fail before it ends. */
export const LEASE_RENEW_MS = 2_000;

/** How often the one that stands by asks: it has the work so soon after the other one's process has ended. */
export const LEASE_RETRY_MS = 1_000;

/** An order counts as not acknowledged after this long, or when the tower is so many versions behind: a tower needs a second. */
export const ORDER_LATE_SECONDS = 60;
export const ORDER_LATE_VERSIONS = 5;
