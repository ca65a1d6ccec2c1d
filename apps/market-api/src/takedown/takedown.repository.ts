import { Injectable } from '@nestjs/common';
import { contentHashes, DEFAULT_METAINFO_LIMITS, parseMetainfo } from '@seedfleet/bittorrent';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { MAX_METAINFO_BYTES } from '../torrents/torrent.schemas.js';
import { lockForTakedown } from './refuse-taken-down.js';

export interface TakedownRow {
  readonly id: bigint;
  readonly hash: string;
  readonly why: string;
  readonly by: string;
  readonly deleteContent: boolean;
  readonly at: Date;
  readonly liftedWhy: string | null;
  readonly liftedBy: string | null;
  readonly liftedAt: Date | null;
}

export interface TakedownOrder {
  readonly hash: string;
  readonly why: string;
  /** Also what operators put on nodes. */
  readonly deleteContent: boolean;
}

/** Many torrents can hold one file. */
const TAKE_TIMEOUT_MS = 60_000;
/** .torrent files in memory at once; each may have 16 MiB. */
const READ_AT_ONCE = 8;

/** What was taken down, and what that did to the torrents, in the database. */
@Injectable()
export class TakedownRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /**
   * Notes a takedown, unless one of this hash is in force (then it can only become one that deletes more), and removes every torrent it hits together with its places on
   * nodes. Returns the infohashes of those that were not removed before.
   */
  take({ hash, why, deleteContent }: TakedownOrder, actor: string): Promise<{ row: TakedownRow; removed: string[] }> {
    return this.prisma.$transaction(
      async (tx) => {
        await lockForTakedown(tx);
        const known = await tx.takedown.findFirst({ where: { hash, liftedAt: null } });
        const row = await noted(tx, known, { hash, why, deleteContent }, actor);
        return { row, removed: await remove(tx, hash, why, actor) };
      },
      { timeout: TAKE_TIMEOUT_MS },
    );
  }

  /** Null where none of this hash is in force. Torrents stay removed: whoever wants one adds it again. */
  async lift(hash: string, why: string, actor: string): Promise<TakedownRow | null> {
    return this.prisma.$transaction(async (tx) => {
      await lockForTakedown(tx);
      const held = await tx.takedown.findFirst({ where: { hash, liftedAt: null } });
      if (held === null) return null;
      await tx.auditEntry.create({ data: auditRow({ actor, action: 'takedown.lift', target: hash, data: { why } }) });
      const data = { liftedWhy: why, liftedBy: actor, liftedAt: new Date() };
      return tx.takedown.update({ where: { id: held.id }, data });
    });
  }

  /** Newest first, one row more than `limit` when there are more. */
  list(before: bigint | undefined, inForce: boolean, limit: number): Promise<TakedownRow[]> {
    return this.prisma.takedown.findMany({
      where: { ...(before === undefined ? {} : { id: { lt: before } }), ...(inForce ? { liftedAt: null } : {}) },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
  }

  /** Reads the file hashes of torrents that were stored before hashes were. Returns how many. */
  async readUnread(): Promise<number> {
    for (let read = 0; ;) {
      const rows = await this.prisma.$queryRaw<{ infoHash: string; metainfo: Uint8Array }[]>`
        SELECT "infoHash", metainfo FROM market.torrent
        WHERE "fileHashes" IS NULL ORDER BY "infoHash" LIMIT ${READ_AT_ONCE}`;
      if (rows.length === 0) return read;
      for (const { infoHash, metainfo } of rows) {
        await this.prisma.torrent.updateMany({ where: { infoHash }, data: { fileHashes: hashesIn(metainfo) } });
      }
      read += rows.length;
    }
  }
}

async function noted(
  tx: Prisma.TransactionClient,
  known: TakedownRow | null,
  { hash, why, deleteContent }: TakedownOrder,
  actor: string,
): Promise<TakedownRow> {
  if (known !== null && (known.deleteContent || !deleteContent)) return known;
  const action = known === null ? 'takedown.set' : 'takedown.delete-content';
  await tx.auditEntry.create({ data: auditRow({ actor, action, target: hash, data: { why, deleteContent } }) });
  if (known === null) return tx.takedown.create({ data: { hash, why, by: actor, deleteContent } });
  return tx.takedown.update({ where: { id: known.id }, data: { deleteContent } });
}

async function remove(tx: Prisma.TransactionClient, hash: string, why: string, actor: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ infoHash: string }[]>`
    UPDATE market.torrent
    SET state = 'removed', version = version + 1, "updatedAt" = now(), "placementDue" = true
    WHERE state <> 'removed' AND ("infoHash" = ${hash} OR "fileHashes" @> ARRAY[${hash}]::text[])
    RETURNING "infoHash"`;
  const removed = rows.map(({ infoHash }) => infoHash);
  await tx.$executeRaw`DELETE FROM market.placement WHERE "infoHash" = ANY(${removed}::text[])`;
  await tx.$executeRaw`DELETE FROM market.seeding WHERE "infoHash" = ANY(${removed}::text[])`;
  const facts = removed.map((target) => auditRow({ actor, action: 'torrent.takedown', target, data: { hash, why } }));
  await tx.auditEntry.createMany({ data: facts });
  return removed;
}

/** Of a file that no parser takes any more: none. */
function hashesIn(metainfo: Uint8Array): string[] {
  const parsed = parseMetainfo(metainfo, { ...DEFAULT_METAINFO_LIMITS, maxMetainfoBytes: MAX_METAINFO_BYTES });
  return parsed.ok ? contentHashes(parsed.value) : [];
}
