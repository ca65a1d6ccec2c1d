import { z } from 'zod';
import { reasonText, timeText } from '../http/schemas.js';

const MAX_NODES = 1_000;
// Control characters are refused: the database can't hold all of them.
const id = z
  .string()
  .min(1)
  .max(60)
  .regex(/^\P{Cc}*$/u);

export const nodeParam = z.strictObject({ id });
export type NodeParam = z.output<typeof nodeParam>;

export const cordonBody = z.strictObject({
  why: reasonText.meta({ description: 'for the audit log and other operators' }),
});
export type CordonBody = z.output<typeof cordonBody>;

export const replicasBody = z.strictObject({
  replicas: z
    .int()
    .min(0)
    .max(MAX_NODES)
    .nullable()
    .meta({ description: 'nodes that are to sell the torrent; null follows demand' }),
});
export type ReplicasBody = z.output<typeof replicasBody>;

const standing = z.enum(['open', 'closing', 'gone']);

export const torrentPlacement = z.object({
  infoHash: z.string(),
  wanted: z.int().meta({ description: 'nodes that are to sell it' }),
  setByOperator: z.boolean(),
  shortage: z
    .enum(['no-open-node', 'no-free-address', 'no-room'])
    .nullable()
    .meta({ description: 'why fewer nodes than wanted have it' }),
  nodes: z.array(
    z.object({
      nodeId: z.string(),
      state: z.enum(['placed', 'leaving']),
      since: timeText,
      seeding: z.string().nullable().meta({ description: 'how the node says it stands; null: not said yet' }),
    }),
  ),
});
export type TorrentPlacement = z.output<typeof torrentPlacement>;

const nodeLoad = z.object({
  nodeId: z.string(),
  standing,
  zone: z.string(),
  weight: z.int(),
  torrents: z.int(),
  bytes: z.int(),
  maxTorrents: z.int().nullable(),
  capacityBytes: z.int().nullable(),
  cordonReason: z.string().nullable(),
});

export const placementOverview = z.object({
  nodes: z.array(nodeLoad),
  shortages: z.record(z.string(), z.int()).meta({ description: 'torrents with too few sellers, by reason' }),
  leaving: z.int().meta({ description: 'torrents on nodes that wait for their successors' }),
});
export type PlacementOverview = z.output<typeof placementOverview>;

export const previewBody = z.strictObject({
  without: z.array(id).max(MAX_NODES).default([]).meta({ description: 'nodes that would leave' }),
  add: z
    .array(
      z.strictObject({
        id,
        address: z.string().min(1).max(300).meta({ description: 'public host' }),
        zone: z.string().max(60).default(''),
        weight: z.int().min(1).max(1_000).default(1),
        capacityBytes: z.int().min(0).nullable().default(null),
        maxTorrents: z.int().min(0).nullable().default(null),
      }),
    )
    .max(MAX_NODES)
    .default([])
    .meta({ description: 'nodes that would join' }),
});
export type PreviewBody = z.output<typeof previewBody>;

export const placementPreview = z.object({
  torrents: z.int().meta({ description: 'torrents looked at' }),
  copies: z.int().meta({ description: 'torrents that some node would newly get' }),
  copiedBytes: z.int(),
  shortages: z.record(z.string(), z.int()),
  nodes: z.array(
    z.object({
      nodeId: z.string(),
      torrentsBefore: z.int(),
      torrentsAfter: z.int(),
      bytesBefore: z.int(),
      bytesAfter: z.int(),
    }),
  ),
  moves: z
    .array(z.object({ infoHash: z.string(), add: z.array(z.string()), drop: z.array(z.string()) }))
    .meta({ description: 'the first hundred' }),
});
export type PlacementPreview = z.output<typeof placementPreview>;
