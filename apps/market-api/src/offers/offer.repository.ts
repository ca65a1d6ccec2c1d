import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient, Statements } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import type { PriceOrigin } from './price-rule.schemas.js';
import type { PricedTorrentRow } from './asked-price.js';
import { sortPrice, type StoredOffer } from './terms-of-sale.js';

export interface OfferRow extends StoredOffer, PriceOrigin {
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** What an operator sets; null for the default. */
export type OfferTerms = Omit<StoredOffer & PriceOrigin, 'version'>;

/** A torrent as nodes are told of it. */
export interface SoldTorrent {
  readonly state: string;
  /** Of the torrent. */
  readonly version: number;
}

export interface AddedOffer {
  readonly row: OfferRow;
  /** The torrent as it was at that moment. */
  readonly sold: SoldTorrent;
}

/** Offers are never changed: each edit is a new version, and the newest counts. */
@Injectable()
export class OfferRepository {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly statements: Statements,
  ) {}

  /** Null where the torrent sells at default terms. */
  current(infoHash: string): Promise<OfferRow | null> {
    return this.prisma.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
  }

  /** The newest offers of a page of torrents. */
  async currentOf(infoHashes: readonly string[]): Promise<Map<string, StoredOffer & PriceOrigin>> {
    if (infoHashes.length === 0) return new Map();
    const rows = await this.statements.rows<StoredOffer & PriceOrigin & { infoHash: string }>(Prisma.sql`
      SELECT o."infoHash", o.version, o."priceSat", o."lockUnits", o."settlementFeeSat", o."minContractFeePerKbSat",
             o."maxSellers", o."freeBytesPerDay", o."freeBytesPerPeerDay", o."priceMode", o."rateMilliSat", o.tier,
             o."multiplierPerMille"
      FROM unnest(${[...infoHashes]}::text[]) AS wanted("infoHash")
      CROSS JOIN LATERAL (
        SELECT * FROM market.offer WHERE offer."infoHash" = wanted."infoHash" ORDER BY version DESC LIMIT 1
      ) o`);
    return new Map(rows.map(({ infoHash, ...offer }) => [infoHash, offer]));
  }

  /** Versions below `beforeVersion`, newest first; one more than `limit` when there are more. */
  history(infoHash: string, beforeVersion: number | undefined, limit: number): Promise<OfferRow[]> {
    return this.prisma.offer.findMany({
      where: { infoHash, ...(beforeVersion === undefined ? {} : { version: { lt: beforeVersion } }) },
      orderBy: { version: 'desc' },
      take: limit + 1,
    });
  }

  /** What a torrent's price depends on, and its newest offer's version, 0 where none was set; null where there is no such torrent. */
  async priced(infoHash: string): Promise<{ torrent: PricedTorrentRow; version: number } | null> {
    const [row] = await this.statements.rows<PricedTorrentRow & { version: number }>(Prisma.sql`
      SELECT t."pieceLength", t."pieceCount", t.tier, q."multiplierPerMille", coalesce((
        SELECT max(o.version) FROM market.offer o WHERE o."infoHash" = t."infoHash"), 0) AS version
      FROM market.torrent t JOIN market.tier q ON q.name = t.tier WHERE t."infoHash" = ${infoHash}`);
    if (row === undefined) return null;
    const { version, ...torrent } = row;
    return { torrent, version };
  }

  /**
   * Adds the version after `before` in one statement, with the audit entry: a lock held over several round trips would
   * make everybody wait. Null where somebody else added that version, or graded the torrent, meanwhile. A change of the torrent at
   * the same moment is either seen here or made after it, so that of what nodes are told of both the later has both.
   */
  async addAfter(
    infoHash: string,
    before: number,
    torrent: PricedTorrentRow,
    terms: OfferTerms,
    actor: string,
  ): Promise<AddedOffer | null> {
    const version = before + 1;
    const createdAt = new Date();
    const fact = auditRow({ actor, action: 'offer.set', target: infoHash, data: { version, ...auditTerms(terms) } });
    const [sold] = await this.statements.rows<SoldTorrent>(Prisma.sql`
      WITH sold AS (
        SELECT t."infoHash", t.state, t.version FROM market.torrent t
        WHERE t."infoHash" = ${infoHash} AND t.tier = ${torrent.tier} FOR SHARE OF t
      ), added AS (
        INSERT INTO market.offer ("infoHash", version, "priceSat", "lockUnits", "settlementFeeSat",
          "minContractFeePerKbSat", "maxSellers", "freeBytesPerDay", "freeBytesPerPeerDay", "priceMode", "rateMilliSat",
          tier, "multiplierPerMille", "createdBy", "createdAt")
        SELECT sold."infoHash", ${version}::int, ${terms.priceSat}::bigint, ${terms.lockUnits}::int,
          ${terms.settlementFeeSat}::bigint, ${terms.minContractFeePerKbSat}::bigint, ${terms.maxSellers}::int,
          ${terms.freeBytesPerDay}::bigint, ${terms.freeBytesPerPeerDay}::bigint, ${terms.priceMode},
          ${terms.rateMilliSat}::bigint, ${terms.tier}, ${terms.multiplierPerMille}::int, ${actor}, ${createdAt}::timestamptz
        FROM sold ON CONFLICT DO NOTHING RETURNING "infoHash"
      ), priced AS (
        UPDATE market.torrent_price p SET "milliSatPerMib" = ${sortPrice(terms.priceSat, torrent)}
        FROM added WHERE p."infoHash" = added."infoHash"
      ), noted AS (
        INSERT INTO market.audit_entry (actor, action, target, data)
        SELECT ${fact.actor}, ${fact.action}, ${fact.target}, ${JSON.stringify(fact.data)}::jsonb FROM added
      )
      SELECT sold.state, sold.version FROM added JOIN sold ON true`);
    return sold === undefined ? null : { row: { ...terms, version, createdBy: actor, createdAt }, sold };
  }
}

/** Adds a version within a transaction that changes the torrent, of the terms that `decide` makes of it. */
export async function addVersion(
  tx: Prisma.TransactionClient,
  infoHash: string,
  decide: (torrent: PricedTorrentRow) => OfferTerms,
  actor: string,
): Promise<void> {
  const [torrent] = await tx.$queryRaw<PricedTorrentRow[]>`
    SELECT t."pieceLength", t."pieceCount", t.tier, q."multiplierPerMille"
    FROM market.torrent t JOIN market.tier q ON q.name = t.tier
    WHERE t."infoHash" = ${infoHash} FOR UPDATE OF t`;
  if (torrent === undefined) throw new Error(`no torrent ${infoHash}`);
  const last = await tx.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
  const terms = decide(torrent);
  const row = await tx.offer.create({
    data: { infoHash, version: (last?.version ?? 0) + 1, ...terms, createdBy: actor, createdAt: new Date() },
  });
  await tx.$executeRaw`
    UPDATE market.torrent_price SET "milliSatPerMib" = ${sortPrice(terms.priceSat, torrent)}
    WHERE "infoHash" = ${infoHash}`;
  const data = { version: row.version, ...auditTerms(terms) };
  await tx.auditEntry.create({ data: auditRow({ actor, action: 'offer.set', target: infoHash, data }) });
}

/** Terms as the audit log keeps them. */
export function auditTerms(
  terms: Readonly<Record<string, bigint | number | string | null | undefined>>,
): Prisma.InputJsonObject {
  return Object.fromEntries(
    Object.entries(terms).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}
