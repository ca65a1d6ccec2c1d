import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient, Statements } from '@seedfleet/persistence';
import { orderBy, placeText, type ChannelCursor, type ChannelSort } from './channel-order.js';
import { channelPage, type ChannelFilter } from './channel-page.js';

/** A channel as reports show it: no key, signature or transaction bytes leave the database. */
export interface ChannelRow {
  readonly id: string;
  readonly nodeId: string;
  readonly infoHash: string;
  readonly torrentName: string | null;
  readonly state: string;
  readonly stateReason: string;
  readonly stateEnteredAt: Date;
  readonly nextActionAt: Date | null;
  readonly deadlineMtp: number | null;
  readonly priceSat: bigint;
  readonly lockUnits: number;
  readonly settlementFeeSat: bigint;
  readonly minContractFeePerKbSat: bigint;
  readonly pieceCount: number;
  readonly pieceLength: number;
  readonly peerAddress: string;
  readonly peerClient: string;
  readonly fundingTxid: string | null;
  readonly fundingVout: number | null;
  readonly fundingValueSat: bigint | null;
  readonly fundingConfirmations: number;
  readonly kMin: bigint | null;
  readonly kCap: bigint | null;
  readonly k: bigint;
  readonly frozenK: bigint | null;
  /** The payment whose settlement was sent, where that is not the last one. */
  readonly settledK: bigint | null;
  readonly closeReason: string | null;
  /** The one that is mined, where a twin of ours is. */
  readonly settlementTxid: string | null;
  readonly settlementHeight: number | null;
  readonly settlementConfirmations: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ListedChannel extends ChannelRow {
  /** Its place in the list, as a cursor needs it. */
  readonly place: string;
}

export interface ChannelEventRow {
  readonly version: number;
  readonly state: string;
  readonly reason: string;
  readonly data: Prisma.JsonValue;
  readonly at: Date;
}

/** Something that happened to some channel. */
export interface ActivityRow {
  readonly id: bigint;
  readonly channelId: string;
  readonly infoHash: string;
  readonly torrentName: string | null;
  readonly nodeId: string;
  readonly state: string;
  readonly reason: string;
  readonly at: Date;
}

/** A story longer than this is a fault; the newest part of it is shown. */
const MAX_EVENTS = 1_000;

const plainColumns = Prisma.sql`
  c.id::text AS id, c."nodeId", c."infoHash", t.name AS "torrentName", c.state, c."stateReason", c."stateEnteredAt",
  c."nextActionAt", c."deadlineMtp", c."lockUnits", c."pieceCount", c."pieceLength", c."peerAddress", c."peerClient",
  c."fundingTxid", c."fundingVout", c."fundingConfirmations", c."closeReason",
  coalesce(c."minedTxid", c."settlementTxid") AS "settlementTxid", c."settlementHeight", c."settlementConfirmations",
  c."createdAt", c."updatedAt"`;
const LARGE = [
  'priceSat',
  'settlementFeeSat',
  'minContractFeePerKbSat',
  'fundingValueSat',
  'kMin',
  'kCap',
  'k',
  'frozenK',
  'settledK',
] as const;
const TIMES = ['stateEnteredAt', 'nextActionAt', 'createdAt', 'updatedAt'] as const;
const columns = Prisma.sql`${plainColumns}, ${Prisma.raw(LARGE.map((name) => `c."${name}"`).join(', '))}`;
/** As `columns` for JSON: its numbers would lose digits of large ones. */
const jsonColumns = Prisma.sql`${plainColumns}, ${Prisma.raw(LARGE.map((name) => `c."${name}"::text AS "${name}"`).join(', '))}`;

/** A row as JSON gives it. */
type ListedText = {
  readonly [Name in keyof ListedChannel]: ListedChannel[Name] extends string | number | null
    ? ListedChannel[Name]
    : string | null;
};

function listedChannel(row: ListedText): ListedChannel {
  const read: Record<string, unknown> = { ...row };
  for (const name of LARGE) read[name] = row[name] === null ? null : BigInt(row[name]);
  for (const name of TIMES) read[name] = row[name] === null ? null : new Date(row[name]);
  return read as unknown as ListedChannel;
}

/** Reads channel-service's tables; the role of this service may do no more. */
@Injectable()
export class ChannelRepository {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly statements: Statements,
  ) {}

  /** One row more than `limit` when there are more; as one JSON value, which takes half as long to read as 33 columns of each. */
  async list(
    filter: ChannelFilter,
    sort: ChannelSort,
    after: ChannelCursor | undefined,
    limit: number,
  ): Promise<ListedChannel[]> {
    const [page] = await this.statements.rows<{ rows: ListedText[] }>(Prisma.sql`
      WITH page AS MATERIALIZED (${channelPage(filter, sort, after, limit + 1)})
      SELECT coalesce(json_agg(r), '[]') AS rows FROM (
        SELECT ${jsonColumns}, ${placeText(sort, Prisma.sql`page.place`)} AS place
        FROM page JOIN channel.channel c ON c.id = page.id LEFT JOIN market.torrent t ON t."infoHash" = c."infoHash"
        ORDER BY ${orderBy(sort, Prisma.sql`page.place`)}
      ) r`);
    return (page?.rows ?? []).map(listedChannel);
  }

  async find(id: string): Promise<ChannelRow | undefined> {
    const rows = await this.prisma.$queryRaw<ChannelRow[]>`
      SELECT ${columns}
      FROM channel.channel c LEFT JOIN market.torrent t ON t."infoHash" = c."infoHash"
      WHERE c.id = ${id}::uuid`;
    return rows[0];
  }

  /** The channel's story, oldest first. */
  async story(id: string): Promise<ChannelEventRow[]> {
    const rows = await this.prisma.channelEvent.findMany({
      where: { channelId: id },
      orderBy: { version: 'desc' },
      take: MAX_EVENTS,
      select: { version: true, state: true, reason: true, data: true, at: true },
    });
    return rows.reverse();
  }

  /** What happened last to any channel, newest first. */
  activity(limit: number): Promise<ActivityRow[]> {
    return this.prisma.$queryRaw<ActivityRow[]>`
      SELECT e.id, e."channelId"::text AS "channelId", c."infoHash", t.name AS "torrentName", c."nodeId", e.state,
             e.reason, e.at
      FROM (SELECT * FROM channel.channel_event ORDER BY id DESC LIMIT ${limit}) e
      JOIN channel.channel c ON c.id = e."channelId"
      LEFT JOIN market.torrent t ON t."infoHash" = c."infoHash"
      ORDER BY e.id DESC`;
  }

  /** How many channels are in each state. */
  stateCounts(): Promise<{ state: string; channels: number }[]> {
    return this.prisma.$queryRaw`
      SELECT state, count(*)::int AS channels FROM channel.channel GROUP BY state ORDER BY state`;
  }
}
