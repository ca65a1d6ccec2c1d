import { z } from 'zod';
import { blockHash, boundedBytes, code, satoshi, txid, unixSeconds, vout } from './codecs.js';
import { defineEvent, defineRequest, defineStream } from './contract.js';

/** Largest transaction that nodes relay: 400,000 weight units. */
const MAX_TRANSACTION_BYTES = 400_000;
const label = z.string().max(120);

const tip = z.object({
  height: z.int().min(0),
  hash: blockHash,
  /** Median time past of the tip, seconds. */
  medianTimePast: unixSeconds,
});

const feeRates = z.object({
  /** Satoshi per 1,000 virtual bytes, as the node estimates for 3 and 6 blocks; 1,000 where it has no estimate. */
  threeBlocksSatPerKvb: satoshi,
  sixBlocksSatPerKvb: satoshi,
  /** Median of the six-block estimate over the last 24 hours. */
  sixBlocksDayMedianSatPerKvb: satoshi,
  /** Its 25th percentile over the same time: what is in no hurry waits for it. */
  sixBlocksDayQuarterSatPerKvb: satoshi,
  /** What the mempool takes in now. */
  mempoolMinimumSatPerKvb: satoshi,
  relayMinimumSatPerKvb: satoshi,
});

/** The state of the chain as chain-watcher sees it. Repeated every 5 s: its age is part of a node's lease. */
export const chainStatus = defineEvent({
  subject: 'chain.status',
  owner: 'chain-watcher',
  heardBy: ['swarm-node', 'channel-service', 'market-api'],
  payload: z.object({ tip, feeRates, observedAt: unixSeconds }),
});

/** The same on request. */
export const chainGetStatus = defineRequest({
  subject: 'chain.get-status',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({}),
  reply: z.object({ tip, feeRates, observedAt: unixSeconds }),
});

const spend = z.object({ txid, height: z.int().nullable(), hash: blockHash.nullable() });

/** A transaction that spends an input of a watched output's transaction in its stead: at most one of the two is mined. */
export const fundingConflict = z.object({
  txid,
  /** Its block; null while it is in no block that is followed. */
  height: z.int().nullable(),
  /** Milliseconds since it was last seen. */
  sinceMs: z.int().min(0),
});

/** Everything a funding verdict needs to know of one output, from our own node. */
export const chainGetOutput = defineRequest({
  subject: 'chain.get-output',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({ txid, vout }),
  reply: z.discriminatedUnion('found', [
    z.object({ found: z.literal(false), conflict: fundingConflict.nullable() }),
    z.object({
      found: z.literal(true),
      /** The transaction itself, so that the asker recomputes its txid. */
      raw: boundedBytes(MAX_TRANSACTION_BYTES),
      /** 0 while in the mempool. */
      confirmations: z.int().min(0),
      height: z.int().nullable(),
      blockHash: blockHash.nullable(),
      /** Median time past of the block before the funding block, where BIP 68 starts counting; null in the mempool. */
      fundingMtp: unixSeconds.nullable(),
      /** Seconds since this node first saw it. */
      ageSeconds: z.int().min(0),
      /** The transaction that spends the output, mempool included. */
      spentBy: spend.nullable(),
      /** Null once confirmed. */
      mempool: z
        .object({
          feeSat: satoshi,
          virtualBytes: z.int().positive(),
          /** Unconfirmed ancestors, itself not counted. */
          ancestors: z.int().min(0),
          /** Whether it says that it may be replaced (BIP 125). */
          replaceable: z.boolean(),
        })
        .nullable(),
      /** What was seen to compete with it, until it is in a block; only of outputs that are watched. */
      conflict: fundingConflict.nullable(),
    }),
  ]),
});

/** Asks to be told, by `chainOutputChanged`, of everything that happens to an output. Repeating it is harmless. */
export const chainWatchOutput = defineRequest({
  subject: 'chain.watch-output',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({ txid, vout, script: boundedBytes(10_000), label }),
  reply: z.object({}),
});

/** A change in the life of a watched output. Readers drop versions they have seen. */
export const chainOutputChanged = defineStream({
  stream: 'CHAIN_OUTPUTS',
  subject: 'chain.output.*',
  owner: 'chain-watcher',
  readBy: ['channel-service'],
  maxAgeHours: 72,
  maxBytes: 256 * 1024 * 1024,
  payload: z.object({
    txid,
    vout,
    label,
    version: z.int(),
    state: z.enum(['unseen', 'mempool', 'confirmed', 'spent-mempool', 'spent-confirmed']),
    fundingHeight: z.int().nullable(),
    fundingMtp: unixSeconds.nullable(),
    confirmations: z.int().min(0),
    spend: spend.nullable(),
    /** Another transaction that spends an input of this one's: at most one of the two is mined. Null once this one is. */
    conflict: spend.nullable(),
  }),
});

const broadcastState = z.enum([
  'stored',
  'mempool',
  'confirmed',
  'buried',
  'rejected',
  'conflicted',
  'overtaken',
  'withdrawn',
]);

/**
 * Takes charge of a transaction: stores it, sends it, and sends it again until it is buried. Repeating it is harmless.
 * The reply tells of the first attempt; later changes come by `chainBroadcastChanged`.
 */
export const chainBroadcast = defineRequest({
  subject: 'chain.broadcast',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({
    txid,
    raw: boundedBytes(MAX_TRANSACTION_BYTES),
    label,
    /**
     * The transaction that this one spends from and pays for. Both are stored before either is sent, and until the parent
     * is in a block they are handed to the node together, where it takes packages.
     */
    parent: z.object({ txid, raw: boundedBytes(MAX_TRANSACTION_BYTES), label }).optional(),
    /** A transaction that this one replaces: it is withdrawn at the moment that this one is stored. */
    replaces: txid.optional(),
  }),
  reply: z.object({
    state: broadcastState,
    code: code.nullable(),
    rejectReason: z.string().nullable(),
  }),
});

/**
 * Ends the sending of a transaction that another one has replaced or outlived. It is followed all the same: it may be
 * mined. One that is in a block, or unknown, stays as it is.
 */
export const chainWithdraw = defineRequest({
  subject: 'chain.withdraw',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({ txid }),
  reply: z.object({ state: broadcastState.nullable() }),
});

export const chainBroadcastChanged = defineStream({
  stream: 'CHAIN_BROADCASTS',
  subject: 'chain.broadcast-state.*',
  owner: 'chain-watcher',
  readBy: ['channel-service'],
  maxAgeHours: 72,
  maxBytes: 256 * 1024 * 1024,
  payload: z.object({
    txid,
    label,
    version: z.int(),
    state: broadcastState,
    /** Why the node refuses it, as a code of ours and in its own words. */
    code: code.nullable(),
    rejectReason: z.string().max(500).nullable(),
    confirmations: z.int().min(0),
    confirmedHeight: z.int().nullable(),
  }),
});

/** Where a broadcast stands now: for whoever missed its events. */
export const chainGetBroadcast = defineRequest({
  subject: 'chain.get-broadcast',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({ txid }),
  reply: z.object({ broadcast: chainBroadcastChanged.payload.nullable() }),
});
