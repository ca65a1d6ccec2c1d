import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient, Statements } from '@seedfleet/persistence';
import type { nodeHeartbeat, nodeRegister, seedingReport } from '@seedfleet/bus';
import type { z } from 'zod';
import type { SeedingCount } from '../torrents/sale-state.js';
import { NODE_SILENCE_MS, SELLS_NOW } from './liveness.js';

export type Registration = z.output<typeof nodeRegister.request>;
export type Heartbeat = z.output<typeof nodeHeartbeat.payload>;
export type SeedingReport = z.output<typeof seedingReport.request>['reports'][number];

export interface NodeRow {
  readonly id: string;
  readonly peerAddress: string;
  readonly version: string;
  readonly registeredAt: Date;
  readonly lastSeenAt: Date;
  readonly stats: Prisma.JsonValue;
}

/** A torrent on a node. */
export interface SeedingRow {
  readonly nodeId: string;
  readonly peerAddress: string;
  readonly lastSeenAt: Date;
  readonly state: string;
  readonly progress: number;
  readonly detail: string;
  readonly updatedAt: Date;
}

/** A node that does not say where it stands and what it takes. */
const ANYWHERE = { zone: '', capacityBytes: null, maxTorrents: null, weight: 1 };

/** More nodes than a fleet has; a list beyond it would be a fault. */
const MAX_NODES = 5_000;

/** Nodes as they registered and report, and the torrents on them. */
@Injectable()
export class NodeRepository {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly statements: Statements,
  ) {}

  async register({ nodeId, peerAddress, version, place = ANYWHERE }: Registration): Promise<void> {
    const now = new Date();
    const capacityBytes = place.capacityBytes === null ? null : BigInt(place.capacityBytes);
    const facts = { peerAddress, version, ...place, capacityBytes, registeredAt: now, lastSeenAt: now };
    await this.prisma.node.upsert({ where: { id: nodeId }, create: { id: nodeId, ...facts }, update: facts });
  }

  /** Returns false for a node that never registered: it is not counted until it does. */
  async heartbeat(beat: Heartbeat): Promise<boolean> {
    const { nodeId, peerAddress, ...stats } = beat;
    const touched = await this.prisma.node.updateMany({
      where: { id: nodeId },
      data: { peerAddress, stats, lastSeenAt: new Date() },
    });
    return touched.count === 1;
  }

  /** Takes what a node says of its torrents, in one statement. Torrents and nodes that are not known are left out. */
  async report(nodeId: string, reports: readonly SeedingReport[]): Promise<void> {
    if (reports.length === 0) return;
    // A torrent named twice counts with what was said last: one statement can't touch a row twice.
    const last = [...new Map(reports.map((report) => [report.infoHash, report])).values()];
    await this.prisma.$executeRaw`
      INSERT INTO market.seeding ("nodeId", "infoHash", state, progress, detail, "updatedAt")
      SELECT n.id, t."infoHash", r.state, r.progress, r.detail, now()
      FROM unnest(${last.map((r) => r.infoHash)}::text[], ${last.map((r) => r.state)}::text[],
                  ${last.map((r) => r.progress)}::float8[], ${last.map((r) => r.detail.replaceAll('\0', ' '))}::text[])
             AS r("infoHash", state, progress, detail)
      JOIN market.torrent t ON t."infoHash" = r."infoHash" AND t.state <> 'removed'
      JOIN market.node n ON n.id = ${nodeId}
      ORDER BY t."infoHash"
      ON CONFLICT ("nodeId", "infoHash") DO UPDATE
      SET state = EXCLUDED.state, progress = EXCLUDED.progress, detail = EXCLUDED.detail, "updatedAt" = now()`;
  }

  list(): Promise<NodeRow[]> {
    return this.prisma.node.findMany({ orderBy: { id: 'asc' }, take: MAX_NODES });
  }

  /** How many torrents each node has in each state. */
  torrentCounts(): Promise<{ nodeId: string; state: string; torrents: number }[]> {
    return this.prisma.$queryRaw`
      SELECT "nodeId", state, count(*)::int AS torrents FROM market.seeding GROUP BY 1, 2 ORDER BY 1, 2`;
  }

  /** The nodes of one torrent. */
  async seedingsOf(infoHash: string): Promise<SeedingRow[]> {
    return this.prisma.$queryRaw<SeedingRow[]>`
      SELECT s."nodeId", n."peerAddress", n."lastSeenAt", s.state, s.progress, s.detail, s."updatedAt"
      FROM market.seeding s JOIN market.node n ON n.id = s."nodeId"
      WHERE s."infoHash" = ${infoHash} ORDER BY s."nodeId" LIMIT ${MAX_NODES}`;
  }

  /** Counted by state and by whether the nodes are heard of, for a page of torrents. */
  async seedingCounts(infoHashes: readonly string[]): Promise<Map<string, SeedingCount[]>> {
    const grouped = new Map<string, SeedingCount[]>();
    if (infoHashes.length === 0) return grouped;
    const rows = await this.prisma.$queryRaw<(SeedingCount & { infoHash: string })[]>`
      SELECT s."infoHash", s.state, n."lastSeenAt" > now() - ${NODE_SILENCE_MS} * interval '1 millisecond' AS alive,
             count(*)::int AS nodes, max(s.progress) AS progress, min(s.detail) AS detail
      FROM market.seeding s JOIN market.node n ON n.id = s."nodeId"
      WHERE s."infoHash" = ANY(${[...infoHashes]})
      GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
    for (const { infoHash, ...count } of rows) {
      const counts = grouped.get(infoHash) ?? [];
      counts.push(count);
      grouped.set(infoHash, counts);
    }
    return grouped;
  }

  /** Where buyers reach the nodes that sell these torrents now. */
  async sellers(infoHashes: readonly string[]): Promise<Map<string, string[]>> {
    const grouped = new Map<string, string[]>();
    if (infoHashes.length === 0) return grouped;
    const rows = await this.statements.rows<{ infoHash: string; peers: string[] }>(Prisma.sql`
      SELECT s."infoHash", array_agg(n."peerAddress" ORDER BY n.id) AS peers
      FROM market.seeding s JOIN market.node n ON n.id = s."nodeId"
      WHERE s."infoHash" = ANY(${[...infoHashes]}) AND ${SELLS_NOW}
      GROUP BY 1`);
    for (const { infoHash, peers } of rows) grouped.set(infoHash, peers);
    return grouped;
  }
}
