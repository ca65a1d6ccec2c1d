import { z } from 'zod';
import {
  channelId,
  code,
  infoHash,
  keyHash,
  nodeId,
  paymentNumber,
  publicKey,
  satoshi,
  txid,
  u64,
  unixSeconds,
  vout,
} from './codecs.js';
import { defineEvent, defineRequest, defineStream } from './contract.js';
import { MAX_BATCH_ENTRIES, paymentEntries } from './payment-entries.js';

/** Terms of a `sell` as accepted; see the wire protocol for units. */
export const sellerTerms = z.object({
  priceSat: u64,
  lockUnits: z.int().min(0).max(65_535),
  settlementFeeSat: u64,
  minContractFeePerKbSat: u64,
  maxSellers: z.int().min(0).max(0xffff_ffff),
});

export const buyerTerms = z.object({
  maxPriceSat: u64,
  maxLockUnits: z.int().min(0).max(65_535),
  maxContractFeePerKbSat: u64,
  minSellers: z.int().min(0).max(0xffff_ffff),
});

/** A person lets a quarantined node sell again. `released` is false where it is in no quarantine. */
export const nodeRelease = defineRequest({
  subject: 'channel.release-node',
  owner: 'channel-service',
  askedBy: ['market-api'],
  request: z.object({
    nodeId,
    why: z.string().min(1).max(300),
    /** Who, as the audit log has it. */
    releasedBy: z.string().max(100),
  }),
  reply: z.discriminatedUnion('released', [
    z.object({ released: z.literal(true), reason: z.string() }),
    z.object({ released: z.literal(false) }),
  ]),
});

/**
 * A person ends an open channel: it is served no more and settled for what was paid. Repeating it is harmless: a channel
 * that is ending already is `closed` too. One that is over, or was never funded, is not: `code` says which.
 */
export const channelClose = defineRequest({
  subject: 'channel.close',
  owner: 'channel-service',
  askedBy: ['market-api'],
  request: z.object({
    channelId,
    why: z.string().min(1).max(300),
    /** Who, as the audit log has it. */
    closedBy: z.string().max(100),
  }),
  reply: z.discriminatedUnion('closed', [
    z.object({ closed: z.literal(true), state: code }),
    z.object({
      closed: z.literal(false),
      code: z.enum(['channel-unknown', 'channel-unfunded', 'channel-over']),
    }),
  ]),
});

/**
 * A node asks to join an invitation. Repeating it with the same `joinId` gives the same channel, whose id begins as the
 * join's does (`saleIdOf`).
 */
export const channelOpen = defineRequest({
  subject: 'channel.open.*',
  owner: 'channel-service',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({
    joinId: z.uuid(),
    nodeId,
    infoHash,
    pieceCount: z.int().positive(),
    pieceLength: z.int().positive(),
    totalBytes: z.int().positive(),
    termsIndex: z.int().min(0).max(0xffff_ffff),
    terms: sellerTerms,
    buyerTerms,
    peer: z.object({
      address: z.string().max(64),
      port: z.int().min(0).max(65_535),
      /** /24 or /48 of the address: what limits count by. */
      subnet: z.string().max(64),
      client: z.string().max(64),
    }),
  }),
  reply: z.discriminatedUnion('opened', [
    z.object({
      opened: z.literal(true),
      channelId,
      sellerPublicKey: publicKey,
      sellerKeyHash: keyHash,
    }),
    z.object({
      opened: z.literal(false),
      code,
      detail: z.string().max(300),
      /** Terms under which it would open, where they differ from the ones offered. */
      revisedTerms: sellerTerms.nullable(),
    }),
  ]),
});

/** How much may be served. Versions grow; a node drops older ones. */
export const fundingVerdict = z.object({
  channelId,
  version: z.int().min(0),
  /** wait: deliver nothing yet. allowance: at most `allowanceBytes` until told more. all: up to kCap. refuse: end it. */
  kind: z.enum(['wait', 'allowance', 'all', 'refuse']),
  allowanceBytes: z.int().min(0),
  code,
  detail: z.string().max(300),
  kMin: paymentNumber,
  kCap: paymentNumber,
  /** No piece leaves at or after this median time past; null while the funding transaction is unconfirmed. */
  deadlineMtp: unixSeconds.nullable(),
});

/** The buyer's `ready`. The answer may be `wait`; later verdicts come as events, and repeating the request is harmless. */
export const channelFund = defineRequest({
  subject: 'channel.fund.*',
  owner: 'channel-service',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({
    nodeId,
    channelId,
    valueSat: u64,
    txid,
    vout,
    buyerPublicKey: publicKey,
    buyerKeyHash: keyHash,
  }),
  reply: fundingVerdict,
});

/** A changed verdict, told to the channel's node. */
export const channelVerdict = defineEvent({
  subject: 'channel.verdict.*',
  owner: 'channel-service',
  heardBy: ['swarm-node'],
  toNode: true,
  payload: fundingVerdict,
});

/** What a settlement costs now: nodes put it into new quotes. Repeated every 5 s. */
export const channelQuote = defineEvent({
  subject: 'channel.quote',
  owner: 'channel-service',
  heardBy: ['swarm-node', 'market-api'],
  payload: z.object({ settlementFeeSat: satoshi, draining: z.boolean(), observedAt: unixSeconds }),
});

/** Why a channel's connection ended, as the node saw it. */
export const closeReason = code;

/**
 * The payment stream: batches of the newest payment of each channel that moved, and ends of channels, from one node.
 * The broker's acknowledgement of a batch makes its payments durable; the intake verifies every entry again.
 */
export const paymentStream = defineStream({
  stream: 'PAYMENTS',
  /** payments.PARTITION.NODE */
  subject: 'payments.*.*',
  owner: 'swarm-node',
  readBy: ['channel-service'],
  fromNode: true,
  maxAgeHours: 72,
  maxBytes: 4 * 1024 * 1024 * 1024,
  payload: z.object({
    nodeId,
    payments: paymentEntries,
    /** Ends; `k` is the last payment the node verified, which travels in this or an earlier batch. */
    ends: z.array(z.object({ channelId, k: paymentNumber, reason: closeReason })).max(MAX_BATCH_ENTRIES),
  }),
});

/** Number of partitions of the payment stream; a channel's partition is its id's first byte modulo this. */
export const PAYMENT_PARTITIONS = 1;

/** The partition that carries a channel's payments, always the same, so that its entries keep their order. */
export function paymentPartition(id: string): number {
  return Number.parseInt(id.slice(0, 2), 16) % PAYMENT_PARTITIONS;
}

/**
 * Everything of the partition up to and including `committedSeq` is in Postgres: nodes may forget it. Repeated every
 * second: its age is a node's lease. A changed `streamEpoch` means the stream was made anew and counts from 1 again.
 */
export const paymentWatermark = defineEvent({
  subject: 'payments-watermark.*',
  owner: 'channel-service',
  heardBy: ['swarm-node'],
  payload: z.object({
    partition: z.int().min(0),
    streamEpoch: z.string().max(64),
    committedSeq: u64,
    observedAt: unixSeconds,
  }),
});
