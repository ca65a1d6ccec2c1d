import { Injectable } from '@nestjs/common';
import { METAINFO_PART_BYTES, type nodeAssignments, type offersChanged, type torrentMetainfo } from '@seedfleet/bus';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { z } from 'zod';
import { saleVerdict } from '../offers/sale-verdict.js';
import { effectiveOffer, type StoredOffer } from '../offers/terms-of-sale.js';
import { PlacementService } from '../placement/placement.service.js';
import { TorrentRepository } from '../torrents/torrent.repository.js';
import { FeeOutlookBoard } from './fee-outlook.js';

type AssignmentPage = z.output<typeof nodeAssignments.reply>;
type OfferNews = z.output<typeof offersChanged.payload>['torrents'];
type MetainfoPart = z.output<typeof torrentMetainfo.reply>;

/** Torrents in one answer: a node with thousands asks a dozen times, and reads each answer in some milliseconds. */
export const PAGE_TORRENTS = 400;
/** Bytes of content paths in one answer; with all else that it says it stays below the broker's 1 MiB. */
const PAGE_PATH_BYTES = 400_000;

/** A torrent as far as what nodes are told of its sale depends on it. */
export interface SoldRow {
  readonly infoHash: string;
  readonly state: string;
  readonly version: number;
  readonly pieceLength: number;
  readonly pieceCount: number;
}

interface AssignedRow extends SoldRow {
  readonly metainfoBytes: number;
  readonly contentPath: string;
}

interface JoinedOffer {
  readonly offerVersion: number | null;
  readonly priceSat: bigint | null;
  readonly lockUnits: number | null;
  readonly settlementFeeSat: bigint | null;
  readonly minContractFeePerKbSat: bigint | null;
  readonly maxSellers: number | null;
  readonly freeBytesPerDay: bigint | null;
  readonly freeBytesPerPeerDay: bigint | null;
}

/**
 * Which torrents a node seeds, and at what terms: those that are placed on it. A torrent whose sale
 * could never pay for its own settlement is given out paused; one that is only too dear at today's fees stays active,
 * since opening a channel is decided anew each time.
 */
@Injectable()
export class Assignments {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly torrents: TorrentRepository,
    private readonly fees: FeeOutlookBoard,
    private readonly placement: PlacementService,
  ) {}

  async page(nodeId: string, after: string | null): Promise<AssignmentPage> {
    // What was added a moment ago has no place yet, and the node asks because of it.
    if (after === null) await this.placement.placeDue();
    const beyond = after === null ? Prisma.empty : Prisma.sql`AND t."infoHash" > ${after}`;
    const condition = Prisma.sql`EXISTS (
      SELECT 1 FROM market.placement p WHERE p."infoHash" = t."infoHash" AND p."nodeId" = ${nodeId}) ${beyond}`;
    const rows = await this.rows(condition, PAGE_TORRENTS + 1);
    const page = fitting(rows.slice(0, PAGE_TORRENTS));
    return { torrents: this.assigned(page), complete: page.length === rows.length };
  }

  /** What these torrents are sold for now; removed ones are left out. */
  async terms(infoHashes: readonly string[]): Promise<OfferNews> {
    if (infoHashes.length === 0) return [];
    const condition = Prisma.sql`t."infoHash" = ANY(${[...infoHashes]})`;
    const torrents = this.assigned(await this.rows(condition, infoHashes.length));
    return torrents.map(({ infoHash, version, state, offer }) => ({ infoHash, version, state, offer }));
  }

  private rows(condition: Prisma.Sql, limit: number): Promise<(AssignedRow & JoinedOffer)[]> {
    return this.prisma.$queryRaw`
      SELECT t."infoHash", t.state, t.version, t."pieceLength", t."pieceCount",
             octet_length(t.metainfo) AS "metainfoBytes", t."contentPath", o.version AS "offerVersion", o."priceSat",
             o."lockUnits", o."settlementFeeSat", o."minContractFeePerKbSat", o."maxSellers",
             o."freeBytesPerDay", o."freeBytesPerPeerDay"
      FROM market.torrent t
      LEFT JOIN LATERAL (
        SELECT * FROM market.offer WHERE offer."infoHash" = t."infoHash" ORDER BY version DESC LIMIT 1
      ) o ON true
      WHERE t.state IN ('active', 'paused') AND ${condition}
      ORDER BY t."infoHash" LIMIT ${limit}`;
  }

  private assigned(rows: readonly (AssignedRow & JoinedOffer)[]): AssignmentPage['torrents'] {
    return rows.map((row) => {
      const { metainfoBytes, contentPath } = row;
      return { ...this.sold(row, storedOffer(row)), metainfoBytes, contentPath };
    });
  }

  /** What a torrent that is not removed is sold for. */
  sold(row: SoldRow, stored: StoredOffer | null): OfferNews[number] {
    const offer = effectiveOffer(row, stored);
    const declined = saleVerdict(row, offer, this.fees.now()).declined !== null;
    const state = row.state === 'active' && !declined ? ('active' as const) : ('paused' as const);
    return { infoHash: row.infoHash, version: row.version, state, offer };
  }

  async metainfoPart(infoHash: string, offsetBytes: number): Promise<MetainfoPart> {
    const found = await this.torrents.metainfoPart(infoHash, offsetBytes, METAINFO_PART_BYTES);
    if (found === null) return { found: false, part: new Uint8Array(0), totalBytes: 0 };
    return { found: true, ...found };
  }
}

function storedOffer({ offerVersion, ...terms }: JoinedOffer): StoredOffer | null {
  return offerVersion === null ? null : { version: offerVersion, ...terms };
}

/** As many as an answer has room for; at least one. */
function fitting<Row extends AssignedRow>(rows: readonly Row[]): readonly Row[] {
  let bytes = 0;
  const end = rows.findIndex((row, at) => (bytes += Buffer.byteLength(row.contentPath)) > PAGE_PATH_BYTES && at > 0);
  return end === -1 ? rows : rows.slice(0, end);
}
