import { z } from 'zod';
import { timeText } from '../http/schemas.js';

/** A heartbeat's figures as they lie in the database: zeros for a node that has not sent one yet. */
export const nodeStatsSchema = z.object({
  connections: z.int().default(0),
  activeChannels: z.int().default(0),
  joinedChannels: z.int().default(0),
  piecesSold: z.int().default(0),
  bytesSold: z.int().default(0),
  exposureBytes: z.int().default(0),
  draining: z.boolean().default(false),
});

export const nodeSchema = z.object({
  id: z.string(),
  peerAddress: z.string().meta({ description: 'HOST:PORT for leechers' }),
  state: z.enum(['up', 'draining', 'silent']),
  version: z.string(),
  registeredAt: timeText,
  lastSeenAt: timeText,
  stats: nodeStatsSchema,
  torrents: z.record(z.string(), z.int()).meta({ description: 'number of torrents in each seeding state' }),
});

export const nodeList = z.object({ items: z.array(nodeSchema) });
export type NodeView = z.output<typeof nodeSchema>;
