import { Injectable } from '@nestjs/common';
import { partsOfFigure, type BookedFigure, type ExplainedFigure } from '@seedfleet/books';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { CURSOR_TIME_FORMAT, type Cursor } from '../http/cursor.js';
import { accountsOfFigure } from './figures.js';
import type { Subject } from './measure.repository.js';
import type { Period } from './period.js';

export interface ExplainedChannel {
  readonly channelId: string;
  readonly infoHash: string;
  readonly nodeId: string;
  readonly peerSubnet: string;
  readonly state: string;
  readonly amountSat: bigint;
  readonly postings: number;
  readonly fundingTxid: string | null;
  readonly settlementTxid: string | null;
  readonly createdAt: Date;
  readonly at: string;
}

export interface BookLine {
  readonly postingId: bigint;
  readonly at: Date;
  readonly state: string;
  readonly reason: string;
  readonly account: string;
  readonly amountSat: bigint;
}

/** Goes from a figure back to the entries of the books that it is the sum of. */
@Injectable()
export class ExplainRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Channels whose entries add something to the figure, newest first. */
  channels(
    figure: ExplainedFigure,
    { subject, key }: { readonly subject: Subject; readonly key: string },
    period: Period | undefined,
    after: Cursor | undefined,
    limit: number,
  ): Promise<ExplainedChannel[]> {
    const sign = figure === 'revenueSat' ? Prisma.sql`-` : Prisma.empty;
    const entries = [...entriesOf(figure, period), Prisma.sql`p."channelId" = c.id`];
    const conditions = [ofSubject(subject, key)];
    // A balance of now is held only in some states, so most channels need not be added up to find the few that hold it.
    if (period === undefined) conditions.push(Prisma.sql`(${Prisma.join(partsOfFigure(figure).map(holders), ' OR ')})`);
    if (after !== undefined) {
      conditions.push(Prisma.sql`(c."createdAt", c.id) < (${after.at}::timestamptz, ${after.key}::uuid)`);
    }
    return this.prisma.$queryRaw<ExplainedChannel[]>`
      SELECT c.id::text AS "channelId", c."infoHash", c."nodeId", c."peerSubnet", c.state, s.amount AS "amountSat",
             s.postings, c."fundingTxid", coalesce(c."minedTxid", c."settlementTxid") AS "settlementTxid", c."createdAt",
             to_char(c."createdAt" AT TIME ZONE 'UTC', ${CURSOR_TIME_FORMAT}) AS at
      FROM channel.channel c
      CROSS JOIN LATERAL (
        SELECT (${sign} sum(e."amountSat"))::bigint AS amount, count(DISTINCT p.id)::int AS postings
        FROM channel.book_posting p JOIN channel.book_entry e ON e."postingId" = p.id
        WHERE ${Prisma.join(entries, ' AND ')}
      ) s
      WHERE ${Prisma.join(conditions, ' AND ')} AND s.amount <> 0
      ORDER BY c."createdAt" DESC, c.id DESC LIMIT ${limit + 1}`;
  }

  /** What entries that belong to no channel add to a figure of the fleet: sweeps and splits of the treasury. */
  async treasury(figure: ExplainedFigure, period: Period | undefined): Promise<bigint> {
    const entries = [...entriesOf(figure, period), Prisma.sql`p."channelId" IS NULL`];
    const rows = await this.prisma.$queryRaw<{ amountSat: bigint | null }[]>`
      SELECT sum(e."amountSat")::bigint AS "amountSat"
      FROM channel.book_posting p JOIN channel.book_entry e ON e."postingId" = p.id
      WHERE ${Prisma.join(entries, ' AND ')}`;
    return rows[0]?.amountSat ?? 0n;
  }

  /** Entries of a channel's newest postings, newest first. */
  lines(channelId: string, postings: number): Promise<BookLine[]> {
    return this.prisma.$queryRaw<BookLine[]>`
      SELECT p.id AS "postingId", p.at, p.state, p.reason, e.account, e."amountSat"
      FROM (SELECT * FROM channel.book_posting WHERE "channelId" = ${channelId}::uuid ORDER BY id DESC LIMIT ${postings}) p
      JOIN channel.book_entry e ON e."postingId" = p.id ORDER BY p.id DESC, e.account`;
  }

  async balances(channelId: string): Promise<{ account: string; amountSat: bigint }[]> {
    return this.prisma.$queryRaw`
      SELECT e.account, sum(e."amountSat")::bigint AS "amountSat"
      FROM channel.book_posting p JOIN channel.book_entry e ON e."postingId" = p.id
      WHERE p."channelId" = ${channelId}::uuid GROUP BY 1 HAVING sum(e."amountSat") <> 0 ORDER BY 1`;
  }
}

/** Entries `e` of postings `p` that make up a figure in a period. */
function entriesOf(figure: ExplainedFigure, period: Period | undefined): Prisma.Sql[] {
  const accounts = [...new Set(partsOfFigure(figure).flatMap((part) => accountsOfFigure(part)))];
  const conditions = [Prisma.sql`e.account = ANY(${accounts})`];
  if (period?.from !== undefined) conditions.push(Prisma.sql`p.at >= ${period.from}`);
  if (period?.end !== undefined) conditions.push(Prisma.sql`p.at < ${period.end}`);
  return conditions;
}

/** The states in which an account can hold something; others than these hold it not (`accountsOf` of @seedfleet/books). */
const NEVER_COLLECTABLE = ['returned', 'nothing-owed', 'join-expired', 'refused', 'lost', 'settled', 'buried'];

function holders(figure: BookedFigure): Prisma.Sql {
  switch (figure) {
    case 'broadcastSat':
      return Prisma.sql`c.state = 'settling'`;
    case 'settledSat':
      return Prisma.sql`c.state = 'settled'`;
    case 'collectableSat':
    case 'feesReservedSat':
      return Prisma.sql`c.state <> ALL(${NEVER_COLLECTABLE})`;
    case 'lostSat':
      return Prisma.sql`(c.state = 'lost' OR c."settledK" IS NOT NULL)`;
    default:
      return Prisma.sql`true`;
  }
}

function ofSubject(subject: Subject, key: string): Prisma.Sql {
  switch (subject) {
    case 'torrent':
      return Prisma.sql`c."infoHash" = ${key}`;
    case 'node':
      return Prisma.sql`c."nodeId" = ${key}`;
    case 'buyer':
      return Prisma.sql`c."peerSubnet" = ${key}`;
    case 'fleet':
      return Prisma.sql`true`;
  }
}
