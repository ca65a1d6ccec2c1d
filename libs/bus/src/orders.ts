import { z } from 'zod';
import { boundedBytes, txid, unixSeconds, vout } from './codecs.js';
import { defineEvent, defineRequest, defineStream } from './contract.js';

/** Largest transaction of an order: settlements have 347 bytes at most. */
export const MAX_ORDER_BYTES = 1_000;

const orderId = z.uuid();
/** Grows with every change that is asked for; whoever holds an order keeps the highest that it has taken. */
const orderVersion = z.int().min(1);
/** Beyond it a tower is not believed: there has to be a version above it. */
const MAX_HELD_VERSION = 1_000_000_000;

/**
 * What became of an order where it is held. waiting: it will be sent in its time. cancelled: it will not. fired: it was
 * sent. found: when its time had come another transaction was seen to spend the output, and that one is sent for ever.
 */
const orderState = z.enum(['waiting', 'cancelled', 'fired', 'found']);

/**
 * Why a holder keeps what it has against a higher version. pays-less: less would leave the buyer. pays-others: it pays
 * otherwise, so that the two can't be compared. Fees count for nothing.
 */
export const orderRefusal = z.enum(['pays-less', 'pays-others']);

/** When who may send an order, seconds of median time past. See docs/decisions on the settlement tower. */
export const orderSchedule = z.object({
  /** Before it, whoever files the order may send another transaction that the tower has not acknowledged. */
  quietFromMtp: unixSeconds,
  /** From here the tower sends … */
  towerFromMtp: unixSeconds,
  /** … up to here, from where the fleet does … */
  fleetFromMtp: unixSeconds,
  /** … up to here, from where the tower does again. */
  towerAgainFromMtp: unixSeconds,
  /** From here everybody sends: others than the one who filed may spend the output. */
  openFromMtp: unixSeconds,
});

/** A transaction that is to be sent at a date, unless it is taken back. */
const orderFacts = {
  id: orderId,
  version: orderVersion,
  txid,
  raw: boundedBytes(MAX_ORDER_BYTES),
  /** Given back with the news of its broadcast. */
  label: z.string().max(120),
  /** The output that it spends: looked at before it is sent. */
  output: z.object({ txid, vout }),
  schedule: orderSchedule,
  /**
   * A transaction that is to be given up although it pays more: whoever files this has read it, and it proves nothing. Null:
   * none is.
   */
  givesUp: txid.nullable().default(null),
};

/** How an order stands with one who holds it. */
const heldOrder = z.object({
  version: orderVersion,
  txid,
  /** Its bytes: who lost its own memory learns from them what was paid. Null from a holder that does not say. */
  raw: boundedBytes(MAX_ORDER_BYTES).nullable().default(null),
  state: orderState,
  /** The transaction that was sent: the order's own, or the one that was found; its bytes where they are few. Null before. */
  sent: z.object({ txid, raw: boundedBytes(MAX_ORDER_BYTES).nullable() }).nullable(),
  /** The highest version that it was offered and has not taken, because of what it holds. Null where there is none. */
  refused: z.object({ version: orderVersion, code: orderRefusal }).nullable().default(null),
});

const standing = z.object({
  /** With chain-watcher; null where it knows none of this id. */
  fleet: heldOrder.nullable(),
  /** With the tower, as it last acknowledged; null where it never did. */
  tower: heldOrder.nullable(),
  /**
   * Since when chain-watcher listens without a word of the tower on this order, Unix milliseconds: what the standing says of
   * the tower may be as old as a copy of the database. Null where there was one, and without a tower.
   */
  towerUnheardSince: z.int().min(0).nullable().default(null),
});

/**
 * Files an order, or puts another transaction in its place: the one before is taken back by that. It is stored, then
 * passed on to the tower, whose acknowledgement shows in the standing. Versions that are not higher change nothing, and
 * those that pay less than what is held are refused; the standing says what is held. Repeating it is harmless.
 */
export const chainFileOrder = defineRequest({
  subject: 'chain.file-order',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object(orderFacts),
  reply: standing,
});

/** Takes an order back for good, unless it was sent. Null where none of this id is known. Repeating it is harmless. */
export const chainCancelOrder = defineRequest({
  subject: 'chain.cancel-order',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({ id: orderId }),
  reply: standing,
});

/** How an order stands, also one that chain-watcher does not know: then the tower is asked for it, and the answer awaited. */
export const chainGetOrder = defineRequest({
  subject: 'chain.get-order',
  owner: 'chain-watcher',
  askedBy: ['channel-service'],
  request: z.object({ id: orderId }),
  reply: standing.extend({
    /** Whether the tower has just said what it holds; without a tower always. If not: ask again in a second. */
    isTowerHeard: z.boolean(),
  }),
});

/** The tower is asked what it holds of an order. It answers with its acknowledgement. */
export const chainOrderAsked = defineEvent({
  subject: 'chain.order-asked',
  owner: 'chain-watcher',
  heardBy: ['tower'],
  payload: z.object({ id: orderId }),
});

/** Orders on their way to the tower: the newest of each id, until it expires. */
export const chainOrders = defineStream({
  stream: 'CHAIN_ORDERS',
  subject: 'chain.order.*',
  owner: 'chain-watcher',
  readBy: ['tower'],
  perSubject: 1,
  maxAgeHours: 72,
  maxBytes: 128 * 1024 * 1024,
  payload: z.object({ ...orderFacts, state: z.enum(['waiting', 'cancelled']) }),
});

/** The tower says what it holds: its acknowledgement. Repeating it is harmless. */
export const chainOrdersHeld = defineRequest({
  subject: 'chain.orders-held',
  owner: 'chain-watcher',
  askedBy: ['tower'],
  request: z.object({
    orders: z.array(heldOrder.extend({ id: orderId, version: orderVersion.max(MAX_HELD_VERSION) })).max(200),
    /** Those that it was asked for and does not hold. */
    without: z.array(orderId).max(200).default([]),
  }),
  reply: z.object({}),
});
