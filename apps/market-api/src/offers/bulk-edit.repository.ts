import { Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { auditRow } from '../audit/audit-log.js';
import { filterConditions } from '../torrents/torrent.repository.js';
import type { PricedTorrentRow } from './asked-price.js';
import type { BulkSelect } from './bulk-edit.schemas.js';
import type { OfferTerms } from './offer.repository.js';
import type { PriceOrigin } from './price-rule.schemas.js';
import { sortPrice, type StoredOffer } from './terms-of-sale.js';

/** A torrent with what it is sold for now. */
export interface BulkRow extends PricedTorrentRow {
  readonly infoHash: string;
  readonly name: string;
  readonly offer: (StoredOffer & PriceOrigin) | null;
}

export interface NewVersion {
  readonly row: BulkRow;
  readonly version: number;
  readonly terms: OfferTerms;
}

type FlatRow = Omit<BulkRow, 'offer'> &
  Omit<StoredOffer & PriceOrigin, 'version' | 'tier'> & {
    readonly offerVersion: number | null;
    readonly offerTier: string | null;
  };

/** A transaction for an edit of many torrents may take this long. */
const TRANSACTION_MS = 120_000;
const WAIT_MS = 10_000;

/** Reads and writes the offers of many torrents at once. */
@Injectable()
export class BulkEditRepository {
  constructor(private readonly prisma: PrismaClient) {}

  /** All or nothing. */
  transaction<T>(work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T> {
    return this.prisma.$transaction(work, { timeout: TRANSACTION_MS, maxWait: WAIT_MS });
  }

  reader(): Prisma.TransactionClient {
    return this.prisma;
  }

  /** How many torrents fit, counting no further than `most` + 1. */
  async count(select: BulkSelect, most: number): Promise<number> {
    const rows = await this.prisma.$queryRaw<{ torrents: number }[]>`
      SELECT count(*)::int AS torrents FROM (
        SELECT FROM market.torrent t WHERE ${conditions(select)} LIMIT ${most + 1}) AS counted`;
    return rows[0]?.torrents ?? 0;
  }

  /** The next torrents by infohash; `lock` keeps others from changing them. */
  async rows(
    database: Prisma.TransactionClient,
    select: BulkSelect,
    after: string,
    limit: number,
    lock: boolean,
  ): Promise<BulkRow[]> {
    const rows = await database.$queryRaw<FlatRow[]>`
      SELECT t."infoHash", t.name, t."pieceLength", t."pieceCount", t.tier, q."multiplierPerMille",
             o.version AS "offerVersion", o."priceSat", o."lockUnits", o."settlementFeeSat", o."minContractFeePerKbSat",
             o."maxSellers", o."freeBytesPerDay", o."freeBytesPerPeerDay", o."priceMode", o."rateMilliSat",
             o.tier AS "offerTier", o."offerMultiplier"
      FROM market.torrent t JOIN market.tier q ON q.name = t.tier
      LEFT JOIN LATERAL (
        SELECT x.*, x."multiplierPerMille" AS "offerMultiplier"
        FROM market.offer x WHERE x."infoHash" = t."infoHash" ORDER BY x.version DESC LIMIT 1
      ) o ON true
      WHERE ${conditions(select)} AND t."infoHash" > ${after}
      ORDER BY t."infoHash" LIMIT ${limit} ${lock ? Prisma.sql`FOR UPDATE OF t` : Prisma.empty}`;
    return rows.map(unflatten);
  }

  async addVersions(tx: Prisma.TransactionClient, added: readonly NewVersion[], actor: string): Promise<void> {
    if (added.length === 0) return;
    await tx.offer.createMany({
      data: added.map(({ row, version, terms }) => ({ infoHash: row.infoHash, version, ...terms, createdBy: actor })),
    });
    await tx.$executeRaw`
      UPDATE market.torrent_price p SET "milliSatPerMib" = n.price
      FROM unnest(${added.map(({ row }) => row.infoHash)}::text[],
                  ${added.map(({ row, terms }) => sortPrice(terms.priceSat, row))}::bigint[]) AS n("infoHash", price)
      WHERE p."infoHash" = n."infoHash"`;
  }

  async note(tx: Prisma.TransactionClient, actor: string, data: Prisma.InputJsonObject): Promise<void> {
    await tx.auditEntry.create({ data: auditRow({ actor, action: 'offer.bulk', target: 'many', data }) });
  }
}

function conditions(select: BulkSelect): Prisma.Sql {
  const { label, tier, search, infoHashes } = select;
  const states = select.state === undefined ? (['active', 'paused'] as const) : [select.state];
  const all = filterConditions({ states, label, tier, search });
  if (infoHashes !== undefined) all.push(Prisma.sql`t."infoHash" = ANY(${infoHashes})`);
  return Prisma.join(all, ' AND ');
}

function unflatten(flat: FlatRow & { readonly offerMultiplier?: number | null }): BulkRow {
  const { infoHash, name, pieceLength, pieceCount, tier, multiplierPerMille, ...rest } = flat;
  const { offerVersion, offerTier, offerMultiplier, ...terms } = rest;
  const offer =
    offerVersion === null
      ? null
      : { ...terms, version: offerVersion, tier: offerTier, multiplierPerMille: offerMultiplier ?? null };
  return { infoHash, name, pieceLength, pieceCount, tier, multiplierPerMille, offer };
}
