import { nodeId } from '@seedfleet/bus';
import { z } from 'zod';
import { pageOf, pageQuery } from '../http/cursor.js';
import { infoHashText, reasonText, satoshiText, timeText } from '../http/schemas.js';
import { CHANNEL_SORTS } from './channel-order.js';
import { CHANNEL_STATES } from '@seedfleet/channel-lifecycle';

const channelState = z.enum(CHANNEL_STATES);

export const channelIdParam = z.strictObject({ id: z.uuid().transform((id) => id.toLowerCase()) });
export type ChannelIdParam = z.output<typeof channelIdParam>;

export const listChannelsQuery = z.strictObject({
  ...pageQuery,
  sort: z.enum(CHANNEL_SORTS).default('newest').meta({
    description: 'deadline: the soonest first; exposure: the most paid first; both of open channels by default',
  }),
  state: z
    .union([channelState.transform((one) => [one]), z.array(channelState).min(1).max(CHANNEL_STATES.length)])
    .optional()
    .meta({ description: 'one or more states' }),
  infoHash: infoHashText.optional(),
  nodeId: nodeId.optional(),
});
export type ListChannelsQuery = z.output<typeof listChannelsQuery>;

export const channelSchema = z.object({
  id: z.string(),
  saleId: z.string().meta({ description: 'what every line of a log about this sale contains' }),
  nodeId: z.string(),
  infoHash: z.string(),
  torrentName: z.string().nullable(),
  state: z.string(),
  stateReason: z.string(),
  stateEnteredAt: timeText,
  /** When its owner looks at it again; null in final states. */
  nextActionAt: timeText.nullable(),
  /** No piece leaves, and settlement starts, at this median time past. */
  deadlineAt: timeText.nullable(),
  priceSat: satoshiText.meta({ description: 'P, satoshi per piece' }),
  lockUnits: z.int().meta({ description: 'L, units of 512 s' }),
  settlementFeeSat: satoshiText.meta({ description: 'F' }),
  minContractFeePerKbSat: satoshiText,
  pieceCount: z.int(),
  pieceLengthBytes: z.int(),
  peerAddress: z.string(),
  peerClient: z.string(),
  fundingTxid: z.string().nullable().meta({ description: 'null until the buyer named a funding output' }),
  fundingVout: z.int().nullable(),
  fundingValueSat: satoshiText.nullable(),
  fundingConfirmations: z.int(),
  k: z.int().meta({ description: 'Pieces paid: the payment that is settled, or the last one that was verified' }),
  lastK: z.int().meta({ description: 'The last payment; above k where an earlier one was settled' }),
  kMin: z.int().nullable(),
  kCap: z.int().nullable(),
  paidSat: satoshiText.meta({ description: 'k·P' }),
  netSat: satoshiText.meta({ description: 'k·P − F, and 0 below kMin' }),
  closeReason: z.string().nullable(),
  settlementTxid: z.string().nullable(),
  settlementHeight: z.int().nullable(),
  settlementConfirmations: z.int(),
  createdAt: timeText,
  updatedAt: timeText,
});

export const channelEventSchema = z.object({
  version: z.int(),
  state: z.string(),
  reason: z.string(),
  data: z.unknown(),
  at: timeText,
});

export const channelTransactionSchema = z.object({
  role: z.enum(['funding', 'funding-rival', 'settlement', 'foreign-spend', 'child', 'sweep', 'split']),
  txid: z.string(),
  state: z.string(),
  reason: z.string().meta({ description: 'a code, or the node in its own words' }),
  feeSat: satoshiText.nullable().meta({ description: 'null of transactions that are not ours' }),
  height: z.int().nullable(),
  confirmations: z.int(),
  replaces: z.string().nullable(),
  madeAt: timeText.nullable(),
});

export const nextStepSchema = z.object({
  what: z.string().meta({ description: 'what its owner does next' }),
  owner: z.enum(['intake', 'settler']),
  at: timeText.nullable().meta({ description: 'at latest; earlier when peer or chain bring news' }),
});

export const channelDetailSchema = channelSchema.extend({
  story: z.array(channelEventSchema),
  transactions: z.array(channelTransactionSchema).meta({ description: 'everything on chain, replaced ones included' }),
  next: nextStepSchema.nullable().meta({ description: 'null in final states' }),
});
export const channelPage = pageOf(channelSchema);
export type ChannelView = z.output<typeof channelSchema>;
export type ChannelDetail = z.output<typeof channelDetailSchema>;

export const closeBody = z.strictObject({
  why: reasonText.meta({ description: 'for the audit log and the story of the channel' }),
});
export type CloseBody = z.output<typeof closeBody>;
