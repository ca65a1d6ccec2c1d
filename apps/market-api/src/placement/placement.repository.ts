import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { DEFAULT_REPLICAS, wantedReplicas, type PlacedTorrent, type PlacementDecision } from '@seedfleet/placement';
import type { PlacementNodeRow } from './placement-node.js';

/** First key of the advisory lock: whoever holds it places torrents. */
const PLACEMENT_LOCK = 7_342_001;
/** A plan for the whole fleet is one transaction. */
const PLAN_TIMEOUT_MS = 120_000;
const LOCK_WAIT_MS = 10_000;
const DEMAND_EVERY_MINUTES = 10;
const DEMAND_DAYS = 3;
/** More nodes than a fleet has. */
const MAX_NODES = 5_000;

export type Transaction = Prisma.TransactionClient;

export interface TorrentRow {
  readonly infoHash: string;
  readonly bytes: bigint;
  readonly replicas: number;
  readonly placed: string[];
}

export interface Round {
  readonly fleet: string;
  readonly changedAt: Date;
  readonly balancedFleet: string;
  readonly balancedUpTo: string;
}

export interface Decided {
  readonly infoHash: string;
  readonly decision: PlacementDecision;
  /** Nodes of `drop` that stop at once: they are gone, or share an address with one that gets the torrent. */
  readonly endAtOnce: readonly string[];
}

/** A node and how much of the torrents' content is placed on it. */
export interface HeldRow {
  readonly nodeId: string;
  readonly torrents: number;
  readonly bytes: bigint;
}

/** Which node sells what, in the database. Everything that decides runs in `plan`, one process at a time. */
@Injectable()
export class PlacementRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Runs `work` while no other process plans. With `wait` false: null when another one does. */
  async plan<R>(work: (tx: Transaction) => Promise<R>, wait: boolean): Promise<R | null> {
    return this.prisma.$transaction(
      async (tx) => {
        if (wait) await tx.$executeRaw`SELECT pg_advisory_xact_lock(${PLACEMENT_LOCK})`;
        else {
          const [row] = await tx.$queryRaw<{ got: boolean }[]>`
            SELECT pg_try_advisory_xact_lock(${PLACEMENT_LOCK}) AS got`;
          if (row?.got !== true) return null;
        }
        return work(tx);
      },
      { timeout: PLAN_TIMEOUT_MS, maxWait: LOCK_WAIT_MS },
    );
  }

  async anyDue(tx: Transaction = this.prisma): Promise<boolean> {
    const [row] = await tx.$queryRaw<{ due: boolean }[]>`
      SELECT EXISTS (
        SELECT 1 FROM market.torrent WHERE "placementDue" AND state IN ('active', 'paused')
      ) AS due`;
    return row?.due === true;
  }

  nodes(tx: Transaction = this.prisma): Promise<PlacementNodeRow[]> {
    return tx.$queryRaw<PlacementNodeRow[]>`
      SELECT id, "peerAddress", zone, weight, "capacityBytes", "maxTorrents", "lastSeenAt",
             coalesce((stats->>'draining')::boolean, false) AS draining, "cordonedAt" IS NOT NULL AS cordoned
      FROM market.node ORDER BY id LIMIT ${MAX_NODES}`;
  }

  held(tx: Transaction = this.prisma): Promise<HeldRow[]> {
    return tx.$queryRaw<HeldRow[]>`
      SELECT p."nodeId", count(*)::int AS torrents, sum(t."totalBytes")::bigint AS bytes
      FROM market.placement p JOIN market.torrent t USING ("infoHash") GROUP BY 1`;
  }

  /** A page of torrents by infohash with the nodes they are placed on. */
  torrents(
    page: { after: string; dueOnly: boolean; limit: number },
    tx: Transaction = this.prisma,
  ): Promise<TorrentRow[]> {
    const due = page.dueOnly ? Prisma.sql`AND t."placementDue"` : Prisma.empty;
    return tx.$queryRaw<TorrentRow[]>`
      SELECT t."infoHash", t."totalBytes" AS bytes, coalesce(t.replicas, greatest(t."demandReplicas", ${DEFAULT_REPLICAS.min})) AS replicas,
             coalesce(array_agg(p."nodeId" ORDER BY p."nodeId") FILTER (WHERE p.state = 'placed'), '{}') AS placed
      FROM market.torrent t LEFT JOIN market.placement p USING ("infoHash")
      WHERE t.state IN ('active', 'paused') AND t."infoHash" > ${page.after} ${due}
      GROUP BY t."infoHash" ORDER BY t."infoHash" LIMIT ${page.limit}`;
  }

  /** Stores what was decided for some torrents, each once. */
  async store(tx: Transaction, decided: readonly Decided[]): Promise<void> {
    const pairs = (pick: (one: Decided) => readonly string[]): [string[], string[]] => [
      decided.flatMap((one) => pick(one).map(() => one.infoHash)),
      decided.flatMap((one) => [...pick(one)]),
    ];
    const [addHashes, addNodes] = pairs(({ decision }) => decision.add);
    await tx.$executeRaw`
      INSERT INTO market.placement ("infoHash", "nodeId")
      SELECT * FROM unnest(${addHashes}::text[], ${addNodes}::text[])
      ON CONFLICT ("infoHash", "nodeId") DO UPDATE SET state = 'placed', since = now()`;
    const [endHashes, endNodes] = pairs(({ endAtOnce }) => endAtOnce);
    await tx.$executeRaw`
      DELETE FROM market.placement p USING unnest(${endHashes}::text[], ${endNodes}::text[]) AS e(hash, node)
      WHERE p."infoHash" = e.hash AND p."nodeId" = e.node`;
    const [leaveHashes, leaveNodes] = pairs(({ decision, endAtOnce }) =>
      decision.drop.filter((id) => !endAtOnce.includes(id)),
    );
    await tx.$executeRaw`
      UPDATE market.placement p SET state = 'leaving', since = now()
      FROM unnest(${leaveHashes}::text[], ${leaveNodes}::text[]) AS l(hash, node)
      WHERE p."infoHash" = l.hash AND p."nodeId" = l.node AND p.state = 'placed'`;
    await tx.$executeRaw`
      UPDATE market.torrent t SET "placementDue" = false, "placementShortage" = d.shortage
      FROM unnest(${decided.map((one) => one.infoHash)}::text[],
                  ${decided.map((one) => one.decision.shortage)}::text[]) AS d(hash, shortage)
      WHERE t."infoHash" = d.hash`;
  }

  /**
   * Lets nodes go whose successors sell, or that will not be heard of again; and everything of torrents that were removed,
   * which are placed anew if they come back. Returns how many ended.
   */
  async endLeaving(tx: Transaction, silentNodes: readonly string[]): Promise<number> {
    const ended = await tx.$executeRaw`
      DELETE FROM market.placement p WHERE p.state = 'leaving' AND (
        p."nodeId" = ANY(${[...silentNodes]}::text[])
        OR NOT EXISTS (
          SELECT 1 FROM market.placement q LEFT JOIN market.seeding s USING ("infoHash", "nodeId")
          WHERE q."infoHash" = p."infoHash" AND q.state = 'placed'
            AND coalesce(s.state, 'waiting') NOT IN ('on-sale', 'paused'))
          AND EXISTS (SELECT 1 FROM market.placement q WHERE q."infoHash" = p."infoHash" AND q.state = 'placed'))`;
    const removed = await tx.$executeRaw`
      WITH gone AS (
        DELETE FROM market.placement p USING market.torrent t
        WHERE t."infoHash" = p."infoHash" AND t.state = 'removed' RETURNING p."infoHash"
      )
      UPDATE market.torrent SET "placementDue" = true WHERE "infoHash" IN (SELECT "infoHash" FROM gone)`;
    return ended + removed;
  }

  /**
   * Forgets nodes' last words on torrents that are no longer their own: they would be read as the present state. Reads all
   * placements, so it is nothing for every few seconds.
   */
  async forgetStrayed(tx: Transaction): Promise<void> {
    await tx.$executeRaw`
      DELETE FROM market.seeding s
      WHERE NOT EXISTS (
        SELECT 1 FROM market.placement p WHERE p."infoHash" = s."infoHash" AND p."nodeId" = s."nodeId")
        AND s."updatedAt" < now() - interval '1 minute'`;
  }

  /**
   * Follows demand, at most every ten minutes: sales a day over the last days decide how many sellers a torrent without a
   * number of the operator's has. Returns whether it looked.
   */
  async followDemand(tx: Transaction): Promise<boolean> {
    const looked = await tx.$executeRaw`
      UPDATE market.placement_round SET "demandAt" = now()
      WHERE id = 1 AND "demandAt" < now() - ${DEMAND_EVERY_MINUTES} * interval '1 minute'`;
    if (looked === 0) return false;
    const rows = await tx.$queryRaw<{ infoHash: string; current: number; sales: number }[]>`
      SELECT t."infoHash", t."demandReplicas" AS current, coalesce(sum(d.won), 0)::float8 AS sales
      FROM market.torrent t
      LEFT JOIN market.demand_day d ON d."infoHash" = t."infoHash" AND d.day > current_date - ${DEMAND_DAYS}::int
      WHERE t.state <> 'removed' AND (d."infoHash" IS NOT NULL OR t."demandReplicas" > ${DEFAULT_REPLICAS.min})
      GROUP BY 1, 2`;
    const changed = rows
      .map(({ infoHash, current, sales }) => ({
        infoHash,
        current,
        wanted: wantedReplicas(sales / DEMAND_DAYS, current),
      }))
      .filter(({ current, wanted }) => wanted !== Math.max(current, DEFAULT_REPLICAS.min));
    await tx.$executeRaw`
      UPDATE market.torrent t
      SET "demandReplicas" = c.wanted, "placementDue" = t."placementDue" OR t.replicas IS NULL
      FROM unnest(${changed.map((one) => one.infoHash)}::text[], ${changed.map((one) => one.wanted)}::int[]) AS c(hash, wanted)
      WHERE t."infoHash" = c.hash`;
    return true;
  }

  async round(tx: Transaction): Promise<Round> {
    const [row] = await tx.$queryRaw<Round[]>`
      SELECT fleet, "changedAt", "balancedFleet", "balancedUpTo" FROM market.placement_round WHERE id = 1`;
    if (row === undefined) throw new Error('market.placement_round has no row');
    return row;
  }

  /** All torrents were placed for this fleet, without moving what has its nodes. */
  async placedFor(tx: Transaction, fleet: string): Promise<void> {
    await tx.$executeRaw`
      UPDATE market.placement_round SET fleet = ${fleet}, "changedAt" = now(), "balancedUpTo" = '' WHERE id = 1`;
  }

  /** Moving towards new nodes has come up to this infohash; null: to the end, for this fleet. */
  async balanced(tx: Transaction, upTo: string | null, fleet: string): Promise<void> {
    if (upTo === null) {
      await tx.$executeRaw`
        UPDATE market.placement_round SET "balancedFleet" = ${fleet}, "balancedUpTo" = '' WHERE id = 1`;
    } else await tx.$executeRaw`UPDATE market.placement_round SET "balancedUpTo" = ${upTo} WHERE id = 1`;
  }
}

export function placedTorrent(row: TorrentRow): PlacedTorrent {
  return { infoHash: row.infoHash, bytes: Number(row.bytes), replicas: row.replicas, on: row.placed };
}
