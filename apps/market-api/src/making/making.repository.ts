import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { Problem } from '../http/problem.js';
import type { MakingBody } from './making.schemas.js';

export interface MakingRow {
  readonly id: bigint;
  readonly path: string;
  readonly name: string | null;
  readonly pieceLengthBytes: number | null;
  readonly private: boolean;
  /** None: as the torrent has them. */
  readonly labels: string[];
  readonly tier: string | null;
  readonly actor: string;
  readonly state: string;
  readonly claimedUntil: Date | null;
  readonly claims: number;
  readonly files: number;
  readonly totalBytes: bigint;
  readonly hashedBytes: bigint;
  readonly infoHash: string | null;
  readonly problem: string | null;
  readonly detail: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What stands in the queue at most. */
const MAX_UNFINISHED = 200;
/** Finished ones that are kept for operators to look at. */
const KEEP = 5_000n;
/** A process that has not said how far it is for this long is taken for dead. */
const CLAIM_S = 30;
/** Content at which processes die is not tried for ever. */
const MAX_CLAIMS = 3;
const MAX_DETAIL = 500;
const UNFINISHED = ['waiting', 'hashing', 'adding'];

/** A making in the hands of one process, until another claims it. */
export type Claimed = Pick<MakingRow, 'id' | 'claims'>;

export interface Progress {
  readonly hashedBytes: number;
  readonly totalBytes: number;
  readonly files: number;
  readonly pieceLengthBytes: number | null;
}

/** Torrents that are being made: asked for, claimed by a process, and how it went. */
@Injectable()
export class MakingRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** @throws Problem too-many */
  create(making: MakingBody, actor: string): Promise<MakingRow> {
    const { path, name = null, pieceLengthBytes = null, labels = [], tier = null } = making;
    return this.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('market.making'))`;
      const waiting = await tx.making.count({ where: { state: { in: UNFINISHED } } });
      if (waiting >= MAX_UNFINISHED)
        throw new Problem(409, 'too-many', `${waiting} torrents are being made already`, { most: MAX_UNFINISHED });
      const data = { path, name, pieceLengthBytes, labels, tier, private: making.private ?? false, actor };
      const row = await tx.making.create({ data });
      await tx.auditEntry.create({
        data: auditRow({ actor, action: 'making.create', target: String(row.id), data: { path } }),
      });
      await tx.making.deleteMany({ where: { id: { lte: row.id - KEEP }, state: { notIn: UNFINISHED } } });
      return row;
    });
  }

  find(id: bigint): Promise<MakingRow | null> {
    return this.prisma.making.findUnique({ where: { id } });
  }

  /** Newest first, one row more than `limit` when there are more. */
  list(before: bigint | undefined, state: string | undefined, limit: number): Promise<MakingRow[]> {
    return this.prisma.making.findMany({
      where: { ...(before === undefined ? {} : { id: { lt: before } }), ...(state === undefined ? {} : { state }) },
      orderBy: { id: 'desc' },
      take: limit + 1,
    });
  }

  /** The next one to work on: of those that wait, and of those whose process has died. */
  async claim(): Promise<MakingRow | undefined> {
    await this.prisma.$executeRaw`
      UPDATE market.making SET state = 'failed', problem = 'making-failed', "updatedAt" = now(),
             detail = 'the process that worked on it died, several times'
      WHERE state IN ('hashing', 'adding') AND "claimedUntil" < now() AND claims >= ${MAX_CLAIMS}`;
    const rows = await this.prisma.$queryRaw<MakingRow[]>`
      UPDATE market.making SET state = 'hashing', claims = claims + 1, "hashedBytes" = 0, "updatedAt" = now(),
             "claimedUntil" = now() + ${CLAIM_S} * interval '1 second'
      WHERE id = (
        SELECT id FROM market.making
        WHERE state = 'waiting' OR (state IN ('hashing', 'adding') AND "claimedUntil" < now())
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING *`;
    return rows[0];
  }

  /** False where it is no longer this process's to make: it was called off, or claimed by another. */
  async progress(claimed: Claimed, { hashedBytes, ...found }: Progress): Promise<boolean> {
    const data = {
      ...found,
      hashedBytes: BigInt(hashedBytes),
      totalBytes: BigInt(found.totalBytes),
      claimedUntil: claimEnd(),
    };
    return this.update(claimed, data);
  }

  /** From here on it can't be called off. */
  adding(claimed: Claimed): Promise<boolean> {
    return this.update(claimed, { state: 'adding', claimedUntil: claimEnd() });
  }

  /** A report of less progress may still be on its way until here. */
  done(claimed: Claimed, infoHash: string, totalBytes: bigint): Promise<boolean> {
    return this.update(claimed, { state: 'done', infoHash, totalBytes, hashedBytes: totalBytes });
  }

  fail(claimed: Claimed, problem: string, detail: string): Promise<boolean> {
    return this.update(claimed, {
      state: 'failed',
      problem,
      detail: detail.slice(0, MAX_DETAIL).replaceAll('\0', ' '),
    });
  }

  /** Back into the queue: the process stops, which is not the content's fault. */
  release(claimed: Claimed): Promise<boolean> {
    return this.update(claimed, { state: 'waiting', claims: claimed.claims - 1 });
  }

  /** False where it was not waiting or being hashed. */
  async cancel(id: bigint, actor: string): Promise<boolean> {
    return this.prisma.$transaction(async (tx) => {
      const { count } = await tx.making.updateMany({
        where: { id, state: { in: ['waiting', 'hashing'] } },
        data: { state: 'cancelled', updatedAt: new Date() },
      });
      if (count === 0) return false;
      await tx.auditEntry.create({ data: auditRow({ actor, action: 'making.cancel', target: String(id) }) });
      return true;
    });
  }

  private async update({ id, claims }: Claimed, data: Partial<Omit<MakingRow, 'id'>>): Promise<boolean> {
    const where = { id, claims, state: { in: ['hashing', 'adding'] } };
    const { count } = await this.prisma.making.updateMany({ where, data: { ...data, updatedAt: new Date() } });
    return count > 0;
  }
}

function claimEnd(): Date {
  return new Date(Date.now() + CLAIM_S * 1_000);
}
