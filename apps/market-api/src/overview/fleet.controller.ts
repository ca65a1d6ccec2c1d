import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ChannelRepository, type ActivityRow } from '../channels/channel.repository.js';
import { IDENTITY, type FleetIdentity } from '../identity.js';
import { Endpoint } from '../http/endpoint.js';
import { ExpiringCache } from '../http/expiring-cache.js';
import { noQuery } from '../http/schemas.js';
import { NodeRepository } from '../nodes/node.repository.js';
import { nodeView } from '../nodes/node.views.js';
import type { NodeView } from '../nodes/node.schemas.js';
import { FleetRepository } from './fleet.repository.js';
import { fleetSchema, type FleetView } from './fleet.schemas.js';

const RECENT_EVENTS = 50;
const COUNTS_MAX_AGE_MS = 2_000;

@ApiTags('fleet')
@Controller('v1/fleet')
export class FleetController {
  /** Counting a million channels takes a while; everybody who looks shares the answer. */
  private readonly counts = new ExpiringCache<{ state: string; channels: number }[]>(COUNTS_MAX_AGE_MS, 1);

  constructor(
    private readonly fleet: FleetRepository,
    private readonly nodes: NodeRepository,
    private readonly channels: ChannelRepository,
    @Inject(IDENTITY) private readonly identity: FleetIdentity,
  ) {}

  @Get()
  @Endpoint({ summary: 'What the fleet is doing now', access: 'read', answer: fleetSchema })
  async get(@Query({ schema: noQuery }) _query: object): Promise<FleetView> {
    const [rows, torrents, states, tip, activity] = await Promise.all([
      this.nodes.list(),
      this.fleet.torrentCounts(),
      this.counts.get('', Date.now(), () => this.channels.stateCounts()),
      this.fleet.tip(),
      this.channels.activity(RECENT_EVENTS),
    ]);
    const now = new Date();
    const nodes = rows.map((row) => nodeView(row, [], now.getTime()));
    return {
      ...this.identity,
      now: now.toISOString(),
      nodes: countByState(nodes),
      work: sumWork(nodes.filter(({ state }) => state !== 'silent')),
      torrents,
      channels: Object.fromEntries(states.map(({ state, channels }) => [state, channels])),
      chain:
        tip === null
          ? null
          : { height: tip.height, hash: tip.hash, medianTime: new Date(tip.medianTimePast * 1_000).toISOString() },
      activity: activity.map(activityView),
    };
  }
}

function countByState(nodes: readonly NodeView[]): FleetView['nodes'] {
  const count = (state: NodeView['state']) => nodes.filter((node) => node.state === state).length;
  return { up: count('up'), draining: count('draining'), silent: count('silent') };
}

function sumWork(nodes: readonly NodeView[]): FleetView['work'] {
  const sum = (name: keyof FleetView['work']) => nodes.reduce((total, { stats }) => total + stats[name], 0);
  return {
    connections: sum('connections'),
    activeChannels: sum('activeChannels'),
    joinedChannels: sum('joinedChannels'),
    piecesSold: sum('piecesSold'),
    bytesSold: sum('bytesSold'),
    exposureBytes: sum('exposureBytes'),
  };
}

function activityView(row: ActivityRow): FleetView['activity'][number] {
  return { ...row, id: row.id.toString(), at: row.at.toISOString() };
}
