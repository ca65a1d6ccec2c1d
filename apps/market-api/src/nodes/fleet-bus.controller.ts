import { Controller, Inject, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import {
  Bus,
  Handles,
  nodeAssignments,
  nodeHeartbeat,
  nodeRegister,
  seedingReport,
  torrentMetainfo,
} from '@seedfleet/bus';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { Assignments } from './assignments.js';
import { PlacementService } from '../placement/placement.service.js';
import { NodeRepository, type Registration } from './node.repository.js';

/** What nodes tell and ask this service over the bus. */
@Controller()
export class FleetBusController implements OnModuleInit, OnModuleDestroy {
  private heartbeats: { unsubscribe(): void } | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly nodes: NodeRepository,
    private readonly assignments: Assignments,
    private readonly placement: PlacementService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    // One instance of the service suffices to note that a node lives, hence the queue.
    this.heartbeats = this.bus.subscribe(
      nodeHeartbeat,
      [],
      async (beat) => {
        await this.nodes.heartbeat(beat);
      },
      'market-api',
    );
  }

  onModuleDestroy(): void {
    this.heartbeats?.unsubscribe();
  }

  @Handles(nodeRegister)
  async register(registration: Registration): Promise<z.output<typeof nodeRegister.reply>> {
    faultPoint('market.register.before-store');
    await this.nodes.register(registration);
    faultPoint('market.register.after-store');
    this.logger.info({ ...registration }, 'a node registered');
    await this.placement.tick();
    return { accepted: true };
  }

  @Handles(seedingReport)
  async report({ nodeId, reports }: z.output<typeof seedingReport.request>): Promise<Record<string, never>> {
    faultPoint('market.report.before-store');
    await this.nodes.report(nodeId, reports);
    faultPoint('market.report.after-store');
    return {};
  }

  @Handles(nodeAssignments)
  async assigned({
    nodeId,
    after,
  }: z.output<typeof nodeAssignments.request>): Promise<z.output<typeof nodeAssignments.reply>> {
    const page = await this.assignments.page(nodeId, after);
    faultPoint('market.assignments.before-reply');
    return page;
  }

  @Handles(torrentMetainfo)
  async metainfo({
    infoHash,
    offsetBytes,
  }: z.output<typeof torrentMetainfo.request>): Promise<z.output<typeof torrentMetainfo.reply>> {
    return this.assignments.metainfoPart(infoHash, offsetBytes);
  }
}
