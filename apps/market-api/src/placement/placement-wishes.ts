import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { DEFAULT_REPLICAS } from '@seedfleet/placement';
import { auditRow } from '../audit/audit-log.js';
import { contentTag, requireTag } from '../http/content-tag.js';
import { Problem } from '../http/problem.js';
import { FleetNews } from '../nodes/fleet-news.js';
import type { PlacementOverview, TorrentPlacement } from './placement.schemas.js';
import { PlacementService } from './placement.service.js';
import { PlacementRepository } from './placement.repository.js';

/** What operators want of placement, and what they see of it. Every wish is audited and followed at once. */
@Injectable()
export class PlacementWishes {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly repository: PlacementRepository,
    private readonly service: PlacementService,
    private readonly news: FleetNews,
  ) {}

  /** Empties a node, or opens it again (`why` null). @throws Problem node-not-found */
  async cordon(id: string, why: string | null, actor: string): Promise<PlacementOverview> {
    await this.prisma.$transaction(async (tx) => {
      const found = await tx.node.updateMany({
        where: { id },
        data: { cordonedAt: why === null ? null : new Date(), cordonReason: why },
      });
      if (found.count === 0) throw nodeNotFound(id);
      const action = why === null ? 'node.uncordon' : 'node.cordon';
      await tx.auditEntry.create({ data: auditRow({ actor, action, target: id, data: { why } }) });
    });
    await this.service.tick();
    return this.overview();
  }

  /** Sets how many nodes sell a torrent; null follows demand. @throws Problem torrent-not-found, precondition-failed */
  async setReplicas(
    infoHash: string,
    replicas: number | null,
    actor: string,
    tags?: readonly string[],
  ): Promise<TorrentPlacement> {
    await this.prisma.$transaction(async (tx) => {
      const before = await tx.$queryRaw<{ replicas: number | null }[]>`
        SELECT replicas FROM market.torrent WHERE "infoHash" = ${infoHash} FOR UPDATE`;
      if (before[0] !== undefined) requireTag(tags, replicasTag(before[0].replicas));
      const found = await tx.torrent.updateMany({ where: { infoHash }, data: { replicas, placementDue: true } });
      if (found.count === 0) throw torrentNotFound(infoHash);
      await tx.auditEntry.create({
        data: auditRow({ actor, action: 'torrent.replicas', target: infoHash, data: { replicas } }),
      });
    });
    await this.service.placeDue();
    this.news.assignmentsChanged('placement');
    return this.ofTorrent(infoHash);
  }

  /** @throws Problem torrent-not-found */
  async ofTorrent(infoHash: string): Promise<TorrentPlacement> {
    const torrent = await this.prisma.torrent.findUnique({
      where: { infoHash },
      select: {
        replicas: true,
        demandReplicas: true,
        placementShortage: true,
        placements: { orderBy: { nodeId: 'asc' } },
        seedings: { select: { nodeId: true, state: true } },
      },
    });
    if (torrent === null) throw torrentNotFound(infoHash);
    const seeding = new Map(torrent.seedings.map(({ nodeId, state }) => [nodeId, state]));
    return {
      infoHash,
      wanted: torrent.replicas ?? Math.max(torrent.demandReplicas, DEFAULT_REPLICAS.min),
      setByOperator: torrent.replicas !== null,
      shortage: torrent.placementShortage as TorrentPlacement['shortage'],
      nodes: torrent.placements.map(({ nodeId, state, since }) => ({
        nodeId,
        state: state as 'placed' | 'leaving',
        since: since.toISOString(),
        seeding: seeding.get(nodeId) ?? null,
      })),
    };
  }

  async overview(): Promise<PlacementOverview> {
    const [nodes, held, reasons, shortages, leaving] = await Promise.all([
      this.service.fleet(),
      this.repository.held(),
      this.prisma.node.findMany({ select: { id: true, cordonReason: true } }),
      this.prisma.torrent.groupBy({
        by: ['placementShortage'],
        where: { placementShortage: { not: null }, state: { not: 'removed' } },
        _count: true,
      }),
      this.prisma.placement.count({ where: { state: 'leaving' } }),
    ]);
    const loads = new Map(held.map((row) => [row.nodeId, row]));
    const why = new Map(reasons.map(({ id, cordonReason }) => [id, cordonReason]));
    return {
      nodes: nodes.map(({ id, standing, zone, weight, maxTorrents, capacityBytes }) => ({
        nodeId: id,
        standing,
        zone,
        weight,
        torrents: loads.get(id)?.torrents ?? 0,
        bytes: Number(loads.get(id)?.bytes ?? 0n),
        maxTorrents: limit(maxTorrents),
        capacityBytes: limit(capacityBytes),
        cordonReason: why.get(id) ?? null,
      })),
      shortages: Object.fromEntries(shortages.map((row) => [String(row.placementShortage), row._count])),
      leaving,
    };
  }
}

/** Of what the operator set, not of what came of it. */
export function replicasTag(replicas: number | null): string {
  return contentTag({ replicas });
}

function limit(value: number): number | null {
  return value === Number.MAX_SAFE_INTEGER ? null : value;
}

function nodeNotFound(id: string): Problem {
  return new Problem(404, 'node-not-found', `no node is called ${id}`);
}

function torrentNotFound(infoHash: string): Problem {
  return new Problem(404, 'torrent-not-found', `no torrent ${infoHash}`);
}
