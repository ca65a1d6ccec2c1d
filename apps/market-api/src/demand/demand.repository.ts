import { Injectable } from '@nestjs/common';
import type { demandReport } from '@seedfleet/bus';
import { Prisma, PrismaClient, Statements } from '@seedfleet/persistence';
import type { z } from 'zod';

export type DemandReport = z.output<typeof demandReport.request>;

/** Counters of a torrent over some days. */
export const COUNTERS = [
  'buyers',
  'buyersBelowPrice',
  'bidsUncounted',
  'speedTestsAnswered',
  'speedTestsRefused',
  'lostAfterSpeedTest',
  'joinsRefused',
  'joined',
  'won',
  'lostAfterJoin',
  'sentBytes',
  'sentMs',
] as const;
export type DemandCounters = Readonly<Record<(typeof COUNTERS)[number], bigint>>;

/** Days over which the speed shown to buyers is measured. */
const SPEED_DAYS = 7;
/** Different bids kept of a torrent and day; buyers could otherwise fill the table. */
const MAX_BIDS_PER_DAY = 200;

/** What nodes reported of buyers, per torrent and day. */
@Injectable()
export class DemandRepository {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly statements: Statements,
  ) {}

  /** Adds a report, once: one that repeats the last of its node, or comes of a node that is not known, adds nothing. */
  async add(report: DemandReport): Promise<boolean> {
    const { nodeId, run, seq, torrents } = report;
    const hashes = torrents.map(({ infoHash }) => infoHash);
    const of = (name: (typeof COUNTERS)[number]) => torrents.map((torrent) => BigInt(torrent[name]));
    const bids = torrents.flatMap(({ infoHash, bids: own }) => own.map((bid) => ({ infoHash, ...bid })));
    return this.prisma.$transaction(async (tx) => {
      const taken = await tx.$executeRaw`
        INSERT INTO market.demand_report AS r ("nodeId", run, seq) SELECT id, ${run}, ${seq}::int
        FROM market.node WHERE id = ${nodeId}
        ON CONFLICT ("nodeId") DO UPDATE SET run = EXCLUDED.run, seq = EXCLUDED.seq, at = now()
        WHERE r.run <> EXCLUDED.run OR r.seq < EXCLUDED.seq`;
      if (taken === 0) return false;
      await tx.$executeRaw`
        INSERT INTO market.demand_day AS d ("infoHash", day, buyers, "buyersBelowPrice", "bidsUncounted",
          "speedTestsAnswered", "speedTestsRefused", "lostAfterSpeedTest", "joinsRefused", joined, won, "lostAfterJoin",
          "sentBytes", "sentMs")
        SELECT t."infoHash", (now() AT TIME ZONE 'UTC')::date, r.a, r.b, r.c, r.d, r.e, r.f, r.g, r.h, r.i, r.j, r.k, r.l
        FROM unnest(${hashes}::text[], ${of('buyers')}::bigint[], ${of('buyersBelowPrice')}::bigint[],
          ${of('bidsUncounted')}::bigint[], ${of('speedTestsAnswered')}::bigint[], ${of('speedTestsRefused')}::bigint[],
          ${of('lostAfterSpeedTest')}::bigint[], ${of('joinsRefused')}::bigint[], ${of('joined')}::bigint[],
          ${of('won')}::bigint[], ${of('lostAfterJoin')}::bigint[], ${of('sentBytes')}::bigint[],
          ${of('sentMs')}::bigint[]) AS r("infoHash", a, b, c, d, e, f, g, h, i, j, k, l)
        JOIN market.torrent t ON t."infoHash" = r."infoHash"
        ORDER BY 1
        ON CONFLICT ("infoHash", day) DO UPDATE SET buyers = d.buyers + EXCLUDED.buyers,
          "buyersBelowPrice" = d."buyersBelowPrice" + EXCLUDED."buyersBelowPrice",
          "bidsUncounted" = d."bidsUncounted" + EXCLUDED."bidsUncounted",
          "speedTestsAnswered" = d."speedTestsAnswered" + EXCLUDED."speedTestsAnswered",
          "speedTestsRefused" = d."speedTestsRefused" + EXCLUDED."speedTestsRefused",
          "lostAfterSpeedTest" = d."lostAfterSpeedTest" + EXCLUDED."lostAfterSpeedTest",
          "joinsRefused" = d."joinsRefused" + EXCLUDED."joinsRefused", joined = d.joined + EXCLUDED.joined,
          won = d.won + EXCLUDED.won, "lostAfterJoin" = d."lostAfterJoin" + EXCLUDED."lostAfterJoin",
          "sentBytes" = d."sentBytes" + EXCLUDED."sentBytes", "sentMs" = d."sentMs" + EXCLUDED."sentMs"`;
      if (bids.length > 0) {
        await tx.$executeRaw`
          INSERT INTO market.demand_bid AS b ("infoHash", day, "priceSat", bids)
          SELECT t."infoHash", (now() AT TIME ZONE 'UTC')::date, r.price, sum(r.bids)::bigint
          FROM unnest(${bids.map(({ infoHash }) => infoHash)}::text[], ${bids.map(({ priceSat }) => priceSat)}::bigint[],
            ${bids.map(({ count }) => BigInt(count))}::bigint[]) AS r("infoHash", price, bids)
          JOIN market.torrent t ON t."infoHash" = r."infoHash"
          WHERE (SELECT count(*) FROM market.demand_bid k
                 WHERE k."infoHash" = t."infoHash" AND k.day = (now() AT TIME ZONE 'UTC')::date) < ${MAX_BIDS_PER_DAY}
            OR EXISTS (SELECT FROM market.demand_bid k WHERE k."infoHash" = t."infoHash"
                 AND k.day = (now() AT TIME ZONE 'UTC')::date AND k."priceSat" = r.price)
          GROUP BY 1, 3 ORDER BY 1, 3
          ON CONFLICT ("infoHash", day, "priceSat") DO UPDATE SET bids = b.bids + EXCLUDED.bids`;
      }
      return true;
    });
  }

  /** The last days' counters added up; zeros where nothing was seen. */
  async counters(infoHash: string, days: number): Promise<DemandCounters> {
    const rows = await this.prisma.demandDay.aggregate({
      where: { infoHash, day: { gt: daysAgo(days) } },
      _sum: Object.fromEntries(COUNTERS.map((name) => [name, true])) as Record<(typeof COUNTERS)[number], true>,
    });
    return Object.fromEntries(COUNTERS.map((name) => [name, rows._sum[name] ?? 0n])) as unknown as DemandCounters;
  }

  /** Bids of the last days by price, highest first. */
  async bids(infoHash: string, days: number): Promise<{ priceSat: bigint; buyers: bigint }[]> {
    const rows = await this.prisma.demandBid.groupBy({
      by: ['priceSat'],
      where: { infoHash, day: { gt: daysAgo(days) } },
      _sum: { bids: true },
      orderBy: { priceSat: 'desc' },
    });
    return rows.map(({ priceSat, _sum }) => ({ priceSat, buyers: _sum.bids ?? 0n }));
  }

  /** Bytes per second at which pieces left for buyers; absent for torrents of which none did. */
  async speeds(infoHashes: readonly string[]): Promise<Map<string, number>> {
    if (infoHashes.length === 0) return new Map();
    const rows = await this.statements.rows<{ infoHash: string; bytesPerSecond: bigint }>(Prisma.sql`
      SELECT "infoHash", (sum("sentBytes") * 1000 / greatest(sum("sentMs"), 1))::bigint AS "bytesPerSecond"
      FROM market.demand_day
      WHERE "infoHash" = ANY(${[...infoHashes]}) AND day > (now() AT TIME ZONE 'UTC')::date - ${SPEED_DAYS}::int
      GROUP BY 1 HAVING sum("sentBytes") > 0`);
    return new Map(rows.map(({ infoHash, bytesPerSecond }) => [infoHash, Number(bytesPerSecond)]));
  }
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000);
}
