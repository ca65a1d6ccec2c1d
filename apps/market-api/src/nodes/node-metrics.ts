import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { nodeStanding, type NodeStanding } from './liveness.js';
import { NodeRepository } from './node.repository.js';

const EVERY_MS = 10_000;
const STANDINGS: readonly NodeStanding[] = ['up', 'draining', 'silent'];
/** A node that was not heard of for this long was taken out of the fleet; nobody is called for it any more. */
const FORGOTTEN_MS = 7 * 24 * 3_600_000;

/** Counts the fleet's nodes by how they stand, from their heartbeats: what a scrape of the node can't tell. */
@Injectable()
export class FleetNodeMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly nodes: Gauge<'standing'>;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(NodeRepository) private readonly repository: NodeRepository,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.nodes = new Gauge({
      name: 'seedfleet_fleet_nodes',
      help: 'Nodes of the last seven days by standing: up, draining, or silent (no heartbeat for 15 s)',
      labelNames: ['standing'],
      registers: [registry],
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timer = setInterval(() => void this.count(), EVERY_MS);
    await this.count();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async count(): Promise<void> {
    try {
      const now = Date.now();
      const counts = new Map<NodeStanding, number>(STANDINGS.map((standing) => [standing, 0]));
      for (const { lastSeenAt, stats } of await this.repository.list()) {
        if (now - lastSeenAt.getTime() > FORGOTTEN_MS) continue;
        const standing = nodeStanding(lastSeenAt, isDraining(stats), now);
        counts.set(standing, (counts.get(standing) ?? 0) + 1);
      }
      for (const [standing, count] of counts) this.nodes.set({ standing }, count);
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'the nodes can not be counted');
    }
  }
}

function isDraining(stats: unknown): boolean {
  return typeof stats === 'object' && stats !== null && 'draining' in stats && stats.draining === true;
}
