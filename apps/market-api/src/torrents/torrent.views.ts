import { shownAddress } from '@seedfleet/bittorrent';
import { nodeStanding } from '../nodes/liveness.js';
import type { SeedingRow } from '../nodes/node.repository.js';
import { effectiveOfferView } from '../offers/offer.views.js';
import { saleVerdict, type FeeOutlook } from '../offers/sale-verdict.js';
import { effectiveOffer, type StoredOffer } from '../offers/terms-of-sale.js';
import { saleOf, type SeedingCount } from './sale-state.js';
import type { TorrentRow } from './torrent.repository.js';
import type { TorrentDetail, TorrentView } from './torrent.schemas.js';

/** How torrents look in answers. */

export function torrentView(
  row: TorrentRow,
  offer: StoredOffer | null,
  counts: readonly SeedingCount[],
  fees: FeeOutlook,
): TorrentView {
  const terms = effectiveOffer(row, offer);
  const verdict = saleVerdict(row, terms, fees);
  return {
    infoHash: row.infoHash,
    name: row.name,
    pieceLengthBytes: row.pieceLength,
    pieceCount: row.pieceCount,
    totalBytes: Number(row.totalBytes),
    private: row.private,
    contentPath: shownAddress(row.contentPath),
    state: row.state as TorrentView['state'],
    labels: row.labels,
    version: row.version,
    tier: row.tier,
    sale: { ...saleOf(row.state, verdict.declined, counts), refusedNow: verdict.refusedNow },
    offer: effectiveOfferView(terms, row.pieceLength),
    totalSat: verdict.totalSat.toString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function torrentDetail(
  row: TorrentRow,
  offer: StoredOffer | null,
  seedings: readonly SeedingRow[],
  fees: FeeOutlook,
  nowMs: number,
): TorrentDetail {
  const alive = ({ lastSeenAt }: SeedingRow) => nodeStanding(lastSeenAt, false, nowMs) !== 'silent';
  const counts = seedings.map((seeding) => ({
    state: seeding.state,
    alive: alive(seeding),
    nodes: 1,
    progress: seeding.progress,
    detail: seeding.detail,
  }));
  return {
    ...torrentView(row, offer, counts, fees),
    nodes: seedings.map((seeding) => ({
      nodeId: seeding.nodeId,
      peerAddress: seeding.peerAddress,
      nodeAlive: alive(seeding),
      state: seeding.state,
      progress: seeding.progress,
      detail: seeding.detail,
      updatedAt: seeding.updatedAt.toISOString(),
    })),
  };
}
