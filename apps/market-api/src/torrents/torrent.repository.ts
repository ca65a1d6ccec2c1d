import { Injectable } from '@nestjs/common';
import { shownAddress } from '@seedfleet/bittorrent';
import { limitOf, Prisma, PrismaClient, Statements } from '@seedfleet/persistence';
import { auditRow, type AuditFact } from '../audit/audit-log.js';
import { SELLS_NOW } from '../nodes/liveness.js';
import { refuseTakenDown } from '../takedown/refuse-taken-down.js';
import { nameQuery } from './name-search.js';
import { NameSearch } from './named-torrents.js';
import { priceForTier, requireTier } from './tier-price.js';
import { beyond, orderBy, orderJoin, placeColumn, type TorrentCursor, type TorrentSort } from './torrent-order.js';

export type OperatorState = 'active' | 'paused' | 'removed';

/** A torrent without its .torrent file. */
export interface TorrentRow {
  readonly infoHash: string;
  readonly name: string;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly totalBytes: bigint;
  readonly private: boolean;
  readonly contentPath: string;
  readonly state: string;
  readonly labels: string[];
  readonly tier: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ListedTorrent extends TorrentRow {
  /** What the list is sorted by, as its cursor needs it. */
  readonly place: string;
}

export interface NewTorrent {
  readonly infoHash: string;
  readonly name: string;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly totalBytes: bigint;
  readonly private: boolean;
  readonly metainfo: Uint8Array<ArrayBuffer>;
  readonly contentPath: string;
  readonly labels: readonly string[] | undefined;
  /** Of its files, as far as the .torrent file tells them. */
  readonly fileHashes: readonly string[];
  readonly milliSatPerMib: bigint;
  /** Undefined: as it is, and the standard tier of a new one. */
  readonly tier: string | undefined;
}

export interface TorrentFilter {
  readonly states: readonly OperatorState[];
  readonly label?: string | undefined;
  readonly tier?: string | undefined;
  /** Words of the name. */
  readonly search?: string | undefined;
  /** Only what some node sells now. */
  readonly available?: boolean | undefined;
}

export interface TorrentChange {
  readonly state?: OperatorState;
  readonly contentPath?: string;
  readonly labels?: readonly string[];
  readonly tier?: string;
}

const rowColumns = {
  infoHash: true,
  name: true,
  pieceLength: true,
  pieceCount: true,
  totalBytes: true,
  private: true,
  contentPath: true,
  state: true,
  labels: true,
  tier: true,
  version: true,
  createdAt: true,
  updatedAt: true,
} as const;

/** Seeding states after which a node does not look at the content again by itself. */
const TROUBLE = ['missing', 'corrupt', 'failed'];

/** Torrents of this fleet. A removed one keeps its row, since channels and revenue refer to it. */
@Injectable()
export class TorrentRepository {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly names: NameSearch,
    private readonly statements: Statements,
  ) {}

  find(infoHash: string): Promise<TorrentRow | null> {
    return this.prisma.torrent.findUnique({ where: { infoHash }, select: rowColumns });
  }

  /** One row more than `limit` when there are more. */
  async list(
    filter: TorrentFilter,
    sort: TorrentSort,
    after: TorrentCursor | undefined,
    limit: number,
  ): Promise<ListedTorrent[]> {
    const { table, condition } = await this.names.torrents(filter.search);
    const conditions = [...filterConditions({ ...filter, search: undefined }), condition];
    if (after !== undefined) conditions.push(beyond(sort, after));
    // How rare words, a label or a tier are decides for a plan; it must not be kept for others.
    const { search, label, tier } = filter;
    const planned = search === undefined && label === undefined && tier === undefined;
    return this.statements.rows<ListedTorrent>(Prisma.sql`
      SELECT t."infoHash", t.name, t."pieceLength", t."pieceCount", t."totalBytes", t.private, t."contentPath",
             t.state, t.labels, t.tier, t.version, t."createdAt", t."updatedAt", ${placeColumn(sort)} AS place
      FROM ${table} ${orderJoin(sort)}
      WHERE ${Prisma.join(conditions, ' AND ')}
      ORDER BY ${orderBy(sort)}
      LIMIT ${planned ? limitOf(limit + 1) : Prisma.sql`${limit + 1}`}`);
  }

  /**
   * Adds a torrent, or brings a known one back on sale: removed or paused becomes active, the content's place and the
   * labels become the ones given, and content in which a node found a fault is looked at again.
   * @throws Problem taken-down
   */
  async add(torrent: NewTorrent, actor: string): Promise<{ row: TorrentRow; created: boolean; changed: boolean }> {
    const { infoHash, contentPath } = torrent;
    const fact: AuditFact = {
      actor,
      action: 'torrent.add',
      target: infoHash,
      data: { contentPath: shownAddress(contentPath) },
    };
    const labels = torrent.labels === undefined ? [] : [...torrent.labels];
    return this.prisma.$transaction(async (tx) => {
      const { tier, milliSatPerMib, ...columns } = torrent;
      await refuseTakenDown(tx, infoHash, torrent.fileHashes);
      await requireTier(tx, tier);
      const fileHashes = [...torrent.fileHashes];
      const stored = { ...columns, labels, fileHashes, ...(tier === undefined ? {} : { tier }) };
      const inserted = await tx.torrent.createMany({ data: [stored], skipDuplicates: true });
      if (inserted.count === 1) {
        await tx.torrentPrice.create({ data: { infoHash, milliSatPerMib } });
        await tx.auditEntry.create({ data: auditRow(fact) });
        if (tier !== undefined) await priceForTier(tx, infoHash, actor);
        return {
          row: await tx.torrent.findUniqueOrThrow({ where: { infoHash }, select: rowColumns }),
          created: true,
          changed: true,
        };
      }
      await tx.$executeRaw`SELECT 1 FROM market.torrent WHERE "infoHash" = ${infoHash} FOR UPDATE`;
      const known = await tx.torrent.findUniqueOrThrow({ where: { infoHash }, select: rowColumns });
      const troubled = await tx.seeding.deleteMany({ where: { infoHash, state: { in: TROUBLE } } });
      const moved = known.contentPath !== contentPath;
      const relabelled = torrent.labels !== undefined && !sameList(known.labels, labels);
      const regraded = tier !== undefined && tier !== known.tier;
      if (known.state === 'active' && !moved && !relabelled && !regraded && troubled.count === 0) {
        return { row: known, created: false, changed: false };
      }
      if (moved) await tx.seeding.deleteMany({ where: { infoHash } });
      const row = await tx.torrent.update({
        where: { infoHash },
        data: {
          state: 'active',
          contentPath,
          ...(relabelled ? { labels } : {}),
          ...(regraded ? { tier } : {}),
          version: { increment: 1 },
          updatedAt: new Date(),
        },
        select: rowColumns,
      });
      await tx.auditEntry.create({ data: auditRow({ ...fact, action: 'torrent.add-again' }) });
      if (regraded) await priceForTier(tx, infoHash, actor);
      return { row, created: false, changed: true };
    });
  }

  /**
   * Changes a torrent; null when there is none, or none of these versions. A changed place means that nodes verify anew.
   * @throws Problem taken-down
   */
  async change(
    infoHash: string,
    change: TorrentChange,
    actor: string,
    versions?: readonly number[],
  ): Promise<TorrentRow | null> {
    const { state, contentPath, labels, tier } = change;
    const data = {
      ...(state === undefined ? {} : { state }),
      ...(contentPath === undefined ? {} : { contentPath }),
      ...(tier === undefined ? {} : { tier }),
    };
    const labelData = labels === undefined ? {} : { labels: [...labels] };
    return this.prisma.$transaction(async (tx) => {
      if (state !== undefined && state !== 'removed') await refuseTakenDown(tx, infoHash);
      await requireTier(tx, tier);
      const touched = await tx.torrent.updateMany({
        where: { infoHash, ...(versions === undefined ? {} : { version: { in: [...versions] } }) },
        data: { ...data, ...labelData, version: { increment: 1 }, updatedAt: new Date() },
      });
      if (touched.count === 0) return null;
      if (contentPath !== undefined || state === 'removed') await tx.seeding.deleteMany({ where: { infoHash } });
      await tx.auditEntry.create({
        data: auditRow({
          actor,
          action: 'torrent.change',
          target: infoHash,
          data: {
            ...data,
            ...labelData,
            ...(contentPath === undefined ? {} : { contentPath: shownAddress(contentPath) }),
          },
        }),
      });
      if (tier !== undefined) await priceForTier(tx, infoHash, actor);
      return tx.torrent.findUniqueOrThrow({ where: { infoHash }, select: rowColumns });
    });
  }

  /** Part of the .torrent file, cut by the database so that a page of it never loads the whole. */
  async metainfoPart(
    infoHash: string,
    offsetBytes: number,
    lengthBytes: number,
  ): Promise<{ part: Uint8Array<ArrayBuffer>; totalBytes: number } | null> {
    // No file is that long; the database counts in 32 bits.
    const from = Math.min(offsetBytes, 0x7fff_fffe) + 1;
    const rows = await this.prisma.$queryRaw<{ part: Uint8Array<ArrayBuffer>; totalBytes: number }[]>`
      SELECT substring(metainfo FROM ${from}::int FOR ${lengthBytes}::int) AS part,
             octet_length(metainfo) AS "totalBytes"
      FROM market.torrent WHERE "infoHash" = ${infoHash} AND state <> 'removed'`;
    return rows[0] ?? null;
  }
}

/** Rows of `market.torrent t` that a filter lets through. */
export function filterConditions(filter: TorrentFilter): Prisma.Sql[] {
  const conditions = [Prisma.sql`t.state = ANY(${[...filter.states]})`];
  if (filter.label !== undefined) conditions.push(Prisma.sql`t.labels @> ${[filter.label]}::text[]`);
  if (filter.tier !== undefined) conditions.push(Prisma.sql`t.tier = ${filter.tier}`);
  if (filter.search !== undefined) {
    conditions.push(Prisma.sql`t.words @@ to_tsquery('simple', ${nameQuery(filter.search)})`);
  }
  if (filter.available === true) {
    conditions.push(Prisma.sql`EXISTS (
      SELECT FROM market.seeding s JOIN market.node n ON n.id = s."nodeId"
      WHERE s."infoHash" = t."infoHash" AND ${SELLS_NOW})`);
  }
  return conditions;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, place) => item === b[place]);
}
