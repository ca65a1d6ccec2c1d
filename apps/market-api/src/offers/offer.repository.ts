import { Injectable } from '@nestjs/common';
import { PrismaClient, type Prisma } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { requireVersion } from '../http/versioned.js';
import type { PriceOrigin } from './price-rule.schemas.js';
import type { PricedTorrentRow } from './asked-price.js';
import { sortPrice, type StoredOffer } from './terms-of-sale.js';

export interface OfferRow extends StoredOffer, PriceOrigin {
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** What an operator sets; null for the default. */
export type OfferTerms = Omit<StoredOffer & PriceOrigin, 'version'>;

/** Offers are never changed: each edit is a new version, and the newest counts. */
@Injectable()
export class OfferRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Null where the torrent sells at default terms. */
  current(infoHash: string): Promise<OfferRow | null> {
    return this.prisma.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
  }

  /** The newest offers of a page of torrents. */
  async currentOf(infoHashes: readonly string[]): Promise<Map<string, StoredOffer & PriceOrigin>> {
    if (infoHashes.length === 0) return new Map();
    const rows = await this.prisma.$queryRaw<(StoredOffer & PriceOrigin & { infoHash: string })[]>`
      SELECT o."infoHash", o.version, o."priceSat", o."lockUnits", o."settlementFeeSat", o."minContractFeePerKbSat",
             o."maxSellers", o."freeBytesPerDay", o."freeBytesPerPeerDay", o."priceMode", o."rateMilliSat", o.tier,
             o."multiplierPerMille"
      FROM unnest(${[...infoHashes]}::text[]) AS wanted("infoHash")
      CROSS JOIN LATERAL (
        SELECT * FROM market.offer WHERE offer."infoHash" = wanted."infoHash" ORDER BY version DESC LIMIT 1
      ) o`;
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

  /** What a torrent's price depends on; null where there is no such torrent. */
  async priced(infoHash: string): Promise<PricedTorrentRow | null> {
    const rows = await this.prisma.$queryRaw<PricedTorrentRow[]>`
      SELECT t."pieceLength", t."pieceCount", t.tier, q."multiplierPerMille"
      FROM market.torrent t JOIN market.tier q ON q.name = t.tier WHERE t."infoHash" = ${infoHash}`;
    return rows[0] ?? null;
  }

  /**
   * Adds a version, of the terms that `decide` makes of the torrent as it is now; it may throw to add none. The torrent must
   * exist. Two edits at once get two versions, in the order of the lock; one that was made for other versions than the
   * present is refused with `precondition-failed`.
   */
  async set(
    infoHash: string,
    decide: (torrent: PricedTorrentRow) => OfferTerms,
    actor: string,
    versions?: readonly number[],
  ): Promise<OfferRow> {
    return this.prisma.$transaction((tx) => addVersion(tx, infoHash, decide, actor, versions));
  }
}

/** The same within a transaction of somebody else. */
export async function addVersion(
  tx: Prisma.TransactionClient,
  infoHash: string,
  decide: (torrent: PricedTorrentRow, before: OfferRow | null) => OfferTerms,
  actor: string,
  versions?: readonly number[],
): Promise<OfferRow> {
  const [torrent] = await tx.$queryRaw<PricedTorrentRow[]>`
    SELECT t."pieceLength", t."pieceCount", t.tier, q."multiplierPerMille"
    FROM market.torrent t JOIN market.tier q ON q.name = t.tier
    WHERE t."infoHash" = ${infoHash} FOR UPDATE OF t`;
  if (torrent === undefined) throw new Error(`no torrent ${infoHash}`);
  const last = await tx.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
  requireVersion(versions, last?.version ?? 0);
  const terms = decide(torrent, last);
  const row = await tx.offer.create({
    data: { infoHash, version: (last?.version ?? 0) + 1, ...terms, createdBy: actor, createdAt: new Date() },
  });
  await tx.$executeRaw`
    UPDATE market.torrent SET "milliSatPerMib" = ${sortPrice(terms.priceSat, torrent)} WHERE "infoHash" = ${infoHash}`;
  const data = { version: row.version, ...auditTerms(terms) };
  await tx.auditEntry.create({ data: auditRow({ actor, action: 'offer.set', target: infoHash, data }) });
  return row;
}

/** Terms as the audit log keeps them. */
export function auditTerms(
  terms: Readonly<Record<string, bigint | number | string | null | undefined>>,
): Prisma.InputJsonObject {
  return Object.fromEntries(
    Object.entries(terms).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}
