import { Injectable } from '@nestjs/common';
import { METAINFO_PART_BYTES, type nodeAssignments, type torrentMetainfo } from '@seedfleet/bus';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { z } from 'zod';
import { saleVerdict } from '../offers/sale-verdict.js';
import { effectiveOffer, type StoredOffer } from '../offers/terms-of-sale.js';
import { TorrentRepository } from '../torrents/torrent.repository.js';
import { FeeOutlookBoard } from './fee-outlook.js';

type AssignmentPage = z.output<typeof nodeAssignments.reply>;
type MetainfoPart = z.output<typeof torrentMetainfo.reply>;

/** Torrents in one answer: also with the longest content paths it stays below the broker's 1 MiB. */
export const PAGE_TORRENTS = 100;

interface AssignedRow {
  readonly infoHash: string;
  readonly state: string;
  readonly version: number;
  readonly pieceLength: number;
  readonly pieceCount: number;
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
 * Which torrents a node seeds, and at what terms: every node seeds every torrent of the fleet. A torrent whose sale
 * could never pay for its own settlement is given out paused; one that is only too dear at today's fees stays active,
 * since opening a channel is decided anew each time.
 */
@Injectable()
export class Assignments {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly torrents: TorrentRepository,
    private readonly fees: FeeOutlookBoard,
  ) {}

  async page(after: string | null): Promise<AssignmentPage> {
    const beyond = after === null ? Prisma.empty : Prisma.sql`AND t."infoHash" > ${after}`;
    const rows = await this.prisma.$queryRaw<(AssignedRow & JoinedOffer)[]>`
      SELECT t."infoHash", t.state, t.version, t."pieceLength", t."pieceCount",
             octet_length(t.metainfo) AS "metainfoBytes", t."contentPath", o.version AS "offerVersion", o."priceSat",
             o."lockUnits", o."settlementFeeSat", o."minContractFeePerKbSat", o."maxSellers",
             o."freeBytesPerDay", o."freeBytesPerPeerDay"
      FROM market.torrent t
      LEFT JOIN LATERAL (
        SELECT * FROM market.offer WHERE offer."infoHash" = t."infoHash" ORDER BY version DESC LIMIT 1
      ) o ON true
      WHERE t.state IN ('active', 'paused') ${beyond}
      ORDER BY t."infoHash" LIMIT ${PAGE_TORRENTS + 1}`;
    const fees = this.fees.now();
    const torrents = rows.slice(0, PAGE_TORRENTS).map((row) => {
      const offer = effectiveOffer(row, storedOffer(row));
      const declined = saleVerdict(row, offer, fees).declined !== null;
      const { infoHash, version, metainfoBytes, contentPath } = row;
      const state = row.state === 'active' && !declined ? ('active' as const) : ('paused' as const);
      return { infoHash, state, version, metainfoBytes, contentPath, offer };
    });
    return { torrents, complete: rows.length <= PAGE_TORRENTS };
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
