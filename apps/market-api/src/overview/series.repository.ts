import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { FIGURE_NAMES, type Figures } from '../reports/figures.js';

/** A row of the books' reports: the figures under the names of their accounts. */
interface ReportRow {
  readonly start: Date | null;
  readonly channels: number;
  readonly pieces: bigint;
  readonly revenueSat: bigint;
  readonly accruedSat: bigint;
  readonly collectableSat: bigint;
  readonly settlementFeeReservedSat: bigint;
  readonly broadcastSat: bigint;
  readonly confirmedSat: bigint;
  readonly buriedSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly childFeeSat: bigint;
  readonly uncollectableSat: bigint;
  readonly lostSat: bigint;
  readonly sweptSat: bigint;
  readonly restatedSat: bigint;
  readonly sweepFeeSat: bigint;
}

export interface FiguresAt {
  readonly start: Date;
  readonly figures: Figures;
}

const columns = Prisma.sql`
  channels, pieces, "revenueSat", "accruedSat", "collectableSat", "settlementFeeReservedSat", "broadcastSat",
  "confirmedSat", "buriedSat", "settlementFeeSat", "childFeeSat", "uncollectableSat", "lostSat", "sweptSat",
  "restatedSat", "sweepFeeSat"`;

/** Reads the roll-ups of the books, exact at any moment. */
@Injectable()
export class SeriesRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Over all time, of the fleet or a torrent. */
  async total(infoHash: string | undefined): Promise<Figures> {
    const from =
      infoHash === undefined
        ? Prisma.sql`channel.revenue_total`
        : Prisma.sql`channel.revenue_by_torrent WHERE "infoHash" = ${infoHash}`;
    const rows = await this.prisma.$queryRaw<ReportRow[]>`SELECT NULL AS start, ${columns} FROM ${from}`;
    return rows[0] === undefined ? NOTHING : figuresOf(rows[0]);
  }

  /** By hour or day since `since`, oldest first; periods without a posting are left out. */
  async since(period: 'hour' | 'day', since: Date, infoHash: string | undefined): Promise<FiguresAt[]> {
    const [suffix, start] =
      period === 'hour'
        ? [Prisma.sql`hour`, Prisma.sql`hour`]
        : [Prisma.sql`day`, Prisma.sql`(day::timestamp AT TIME ZONE 'UTC')`];
    const [view, condition] =
      infoHash === undefined
        ? [Prisma.sql`channel.revenue_by_${suffix}`, Prisma.empty]
        : [Prisma.sql`channel.revenue_by_torrent_${suffix}`, Prisma.sql`AND "infoHash" = ${infoHash}`];
    const rows = await this.prisma.$queryRaw<(ReportRow & { start: Date })[]>`
      SELECT ${start} AS start, ${columns} FROM ${view} WHERE ${start} >= ${since} ${condition} ORDER BY 1`;
    return rows.map((row) => ({ start: row.start, figures: figuresOf(row) }));
  }
}

/** A period in which nothing was booked. */
export const NOTHING = Object.fromEntries(FIGURE_NAMES.map((name) => [name, 0n])) as unknown as Figures;

function figuresOf({
  start: _start,
  channels,
  settlementFeeReservedSat: feesReservedSat,
  confirmedSat: settledSat,
  settlementFeeSat,
  childFeeSat,
  sweepFeeSat,
  ...same
}: ReportRow): Figures {
  const treasuryFeesSat = childFeeSat + sweepFeeSat;
  return {
    ...same,
    channels: BigInt(channels),
    feesReservedSat,
    settledSat,
    buriedSat: same.buriedSat - same.sweptSat - treasuryFeesSat,
    feesSat: settlementFeeSat + treasuryFeesSat,
  };
}
