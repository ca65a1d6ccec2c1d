import { z } from 'zod';
import { timeText } from '../http/schemas.js';

export const activitySchema = z.object({
  id: z.string(),
  channelId: z.string(),
  infoHash: z.string(),
  torrentName: z.string().nullable(),
  nodeId: z.string(),
  state: z.string(),
  reason: z.string(),
  at: timeText,
});

export const fleetSchema = z.object({
  network: z.string(),
  fleetId: z.string(),
  /** Our clock. */
  now: timeText,
  nodes: z.object({ up: z.int(), draining: z.int(), silent: z.int() }),
  /** Sums over the nodes that are heard of. */
  work: z.object({
    connections: z.int(),
    activeChannels: z.int(),
    joinedChannels: z.int(),
    piecesSold: z.int(),
    bytesSold: z.int(),
    exposureBytes: z.int(),
  }),
  /** Torrents the operator has active, paused and removed. */
  torrents: z.object({ active: z.int(), paused: z.int(), removed: z.int() }),
  channels: z.record(z.string(), z.int()).meta({ description: 'number of channels in each state' }),
  chain: z
    .object({ height: z.int(), hash: z.string(), medianTime: timeText })
    .nullable()
    .meta({ description: 'the block that the fleet has followed the chain to' }),
  activity: z.array(activitySchema).meta({ description: 'what happened last to any channel, newest first' }),
});
export type FleetView = z.output<typeof fleetSchema>;
