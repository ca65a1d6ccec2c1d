import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { LabelRepository } from '../torrents/label.repository.js';
import { FLEET, MeasureRepository, type Subject } from './measure.repository.js';
import type { Period } from './period.js';
import { figuresView } from './report.views.js';

/** What the rows of an export are. */
export const EXPORTS = ['torrents', 'nodes', 'buyers', 'labels', 'days', 'channels', 'postings'] as const;
export type ExportKind = (typeof EXPORTS)[number];
export type ExportRow = Readonly<Record<string, string | number | null>>;

const PAGE = 1_000;

/** The rows of an export, a page at a time, so that none is held for long. */
@Injectable()
export class ExportRows {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly measures: MeasureRepository,
    private readonly labelled: LabelRepository,
  ) {}

  pages(kind: ExportKind, period: Period | undefined): AsyncGenerator<ExportRow[]> {
    switch (kind) {
      case 'torrents':
        return this.keyed('torrent', 'infoHash', period);
      case 'nodes':
        return this.keyed('node', 'nodeId', period);
      case 'buyers':
        return this.keyed('buyer', 'buyer', period);
      case 'labels':
        return this.labels(period);
      case 'days':
        return this.days(period);
      case 'channels':
        return this.channels(period);
      case 'postings':
        return this.postings(period);
    }
  }

  private async *keyed(subject: Subject, name: string, period: Period | undefined): AsyncGenerator<ExportRow[]> {
    for (let after = ''; ;) {
      const keys = await this.measures.keys(subject, after, PAGE);
      const [sums, names] = await Promise.all([
        this.measures.sums(subject, keys, period),
        subject === 'torrent' ? this.names(keys) : undefined,
      ]);
      yield keys.map((key) => ({
        [name]: key,
        ...(names === undefined ? {} : { name: names.get(key) ?? null }),
        ...figuresView(sums.get(key)),
      }));
      const last = keys.at(-1);
      if (keys.length < PAGE || last === undefined) return;
      after = last;
    }
  }

  /** A torrent with several labels counts in each, so these rows add up to more than the fleet. */
  private async *labels(period: Period | undefined): AsyncGenerator<ExportRow[]> {
    const [counts, sums] = await Promise.all([this.labelled.counts(), this.measures.labels(period)]);
    yield [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, torrents]) => ({ label, torrents, ...figuresView(sums.get(label)) }));
  }

  private async *days(period: Period | undefined): AsyncGenerator<ExportRow[]> {
    for (let before: string | undefined; ;) {
      const days = await this.measures.days('fleet', FLEET, period, before, PAGE);
      yield days.map(([day, sums]) => ({ day, ...figuresView(sums) }));
      if (days.length < PAGE) return;
      before = days.at(-1)?.[0];
    }
  }

  /** By when they were opened. */
  private async *channels(period: Period | undefined): AsyncGenerator<ExportRow[]> {
    for (let after: { at: Date; id: string } | undefined; ;) {
      const conditions = within(Prisma.sql`c."createdAt"`, period);
      if (after !== undefined) {
        conditions.push(
          Prisma.sql`(date_trunc('milliseconds', c."createdAt"), c.id) > (${after.at}, ${after.id}::uuid)`,
        );
        conditions.push(Prisma.sql`c."createdAt" >= ${after.at}`);
      }
      const rows = await this.prisma.$queryRaw<ChannelExport[]>`
        SELECT c.id::text AS id, c."createdAt", c."infoHash", t.name, c."nodeId", c."peerSubnet", c.state,
               c."stateReason", coalesce(c."settledK", c.k) AS k, c."priceSat", c."settlementFeeSat", c."fundingTxid", c."fundingVout",
               c."fundingValueSat", coalesce(c."minedTxid", c."settlementTxid") AS "settlementTxid", c."settlementHeight"
        FROM channel.channel c LEFT JOIN market.torrent t ON t."infoHash" = c."infoHash"
        WHERE ${Prisma.join(conditions, ' AND ')}
        ORDER BY date_trunc('milliseconds', c."createdAt"), c.id LIMIT ${PAGE}`;
      yield rows.map(plain);
      const last = rows.at(-1);
      if (rows.length < PAGE || last === undefined) return;
      after = { at: last.createdAt, id: last.id };
    }
  }

  /** The entries of the books themselves, in the order of posting. */
  private async *postings(period: Period | undefined): AsyncGenerator<ExportRow[]> {
    for (let after = 0n; ;) {
      const conditions = [...within(Prisma.sql`p.at`, period), Prisma.sql`p.id > ${after}`];
      const rows = await this.prisma.$queryRaw<PostingExport[]>`
        SELECT p.id AS "postingId", p.at, p."channelId"::text AS "channelId", c."infoHash", c."nodeId",
               c."peerSubnet", p.state, p.reason, e.account, e."amountSat"
        FROM (SELECT * FROM channel.book_posting p WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY p.id LIMIT ${PAGE}) p
        JOIN channel.book_entry e ON e."postingId" = p.id
        LEFT JOIN channel.channel c ON c.id = p."channelId"
        ORDER BY p.id, e.account`;
      yield rows.map(plain);
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.postingId;
    }
  }

  private async names(infoHashes: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.prisma.torrent.findMany({
      where: { infoHash: { in: [...infoHashes] } },
      select: { infoHash: true, name: true },
    });
    return new Map(rows.map(({ infoHash, name }) => [infoHash, name]));
  }
}

interface ChannelExport {
  readonly id: string;
  readonly createdAt: Date;
  readonly [column: string]: string | number | bigint | Date | null;
}
interface PostingExport {
  readonly postingId: bigint;
  readonly [column: string]: string | number | bigint | Date | null;
}

function within(column: Prisma.Sql, period: Period | undefined): Prisma.Sql[] {
  return [
    Prisma.sql`true`,
    ...(period?.from === undefined ? [] : [Prisma.sql`${column} >= ${period.from}`]),
    ...(period?.end === undefined ? [] : [Prisma.sql`${column} < ${period.end}`]),
  ];
}

function plain(row: Readonly<Record<string, string | number | bigint | Date | null>>): ExportRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? value.toString() : value instanceof Date ? value.toISOString() : value,
    ]),
  );
}
