import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { requireVersion } from '../http/versioned.js';
import { sortPrice, type PricedContent, type StoredOffer } from './terms-of-sale.js';

export interface OfferRow extends StoredOffer {
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** What an operator sets; null for the default. */
export type OfferTerms = Omit<StoredOffer, 'version'>;

/** Offers are never changed: each edit is a new version, and the newest counts. */
@Injectable()
export class OfferRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** Null where the torrent sells at default terms. */
  current(infoHash: string): Promise<OfferRow | null> {
    return this.prisma.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
  }

  /** The newest offers of a page of torrents. */
  async currentOf(infoHashes: readonly string[]): Promise<Map<string, StoredOffer>> {
    if (infoHashes.length === 0) return new Map();
    const rows = await this.prisma.$queryRaw<(StoredOffer & { infoHash: string })[]>`
      SELECT o."infoHash", o.version, o."priceSat", o."lockUnits", o."settlementFeeSat", o."minContractFeePerKbSat",
             o."maxSellers", o."freeBytesPerDay", o."freeBytesPerPeerDay"
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

  /**
   * Adds a version. The torrent must exist. Two edits at once get two versions, in the order of the lock; one that was made
   * for other versions than the present is refused with `precondition-failed`.
   */
  async set(infoHash: string, terms: OfferTerms, actor: string, versions?: readonly number[]): Promise<OfferRow> {
    return this.prisma.$transaction(async (tx) => {
      const [content] = await tx.$queryRaw<PricedContent[]>`
        SELECT "pieceLength", "pieceCount" FROM market.torrent WHERE "infoHash" = ${infoHash} FOR UPDATE`;
      if (content === undefined) throw new Error(`no torrent ${infoHash}`);
      const last = await tx.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
      requireVersion(versions, last?.version ?? 0);
      await tx.torrent.update({
        where: { infoHash },
        data: { milliSatPerMib: sortPrice(terms.priceSat, content) },
        select: { infoHash: true },
      });
      const row = await tx.offer.create({
        data: { infoHash, version: (last?.version ?? 0) + 1, ...terms, createdBy: actor, createdAt: new Date() },
      });
      const data = {
        version: row.version,
        priceSat: terms.priceSat?.toString() ?? null,
        lockUnits: terms.lockUnits,
        settlementFeeSat: terms.settlementFeeSat?.toString() ?? null,
        minContractFeePerKbSat: terms.minContractFeePerKbSat?.toString() ?? null,
        maxSellers: terms.maxSellers,
        freeBytesPerDay: terms.freeBytesPerDay?.toString() ?? null,
        freeBytesPerPeerDay: terms.freeBytesPerPeerDay?.toString() ?? null,
      };
      await tx.auditEntry.create({ data: auditRow({ actor, action: 'offer.set', target: infoHash, data }) });
      return row;
    });
  }
}
