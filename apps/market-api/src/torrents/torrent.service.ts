import { Injectable } from '@nestjs/common';
import { contentHashes, DEFAULT_METAINFO_LIMITS, parseMetainfo } from '@seedfleet/bittorrent';
import type { Page } from '../http/cursor.js';
import { Problem } from '../http/problem.js';
import { requireVersion } from '../http/versioned.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { FleetNews } from '../nodes/fleet-news.js';
import { NodeRepository } from '../nodes/node.repository.js';
import { OfferRepository } from '../offers/offer.repository.js';
import { sortPrice } from '../offers/terms-of-sale.js';
import { torrentPageOf, type TorrentCursor, type TorrentSort } from './torrent-order.js';
import { TorrentRepository, type TorrentChange, type TorrentFilter, type TorrentRow } from './torrent.repository.js';
import { MAX_METAINFO_BYTES, type TorrentDetail, type TorrentView } from './torrent.schemas.js';
import { torrentDetail, torrentView } from './torrent.views.js';

/** Largest piece length and count that the database's columns hold. */
const MAX_INT = 0x7fff_ffff;

export interface TorrentToAdd {
  readonly metainfo: Uint8Array;
  readonly contentPath: string;
  readonly labels: readonly string[] | undefined;
  readonly tier?: string | undefined;
}

/** What operators do with torrents. Nodes are told of each change after it is stored. */
@Injectable()
export class TorrentService {
  constructor(
    private readonly torrents: TorrentRepository,
    private readonly offers: OfferRepository,
    private readonly nodes: NodeRepository,
    private readonly fees: FeeOutlookBoard,
    private readonly news: FleetNews,
  ) {}

  /** Adding the same torrent again changes only what differs. Throws `metainfo-invalid`, `taken-down`. */
  async add(torrent: TorrentToAdd, actor: string): Promise<{ created: boolean; torrent: TorrentDetail }> {
    const metainfo = new Uint8Array(torrent.metainfo);
    const parsed = parseMetainfo(metainfo, { ...DEFAULT_METAINFO_LIMITS, maxMetainfoBytes: MAX_METAINFO_BYTES });
    if (!parsed.ok) {
      const { code, detail } = parsed.error;
      throw new Problem(422, 'metainfo-invalid', `${code}: ${detail}`, { reason: code });
    }
    const { infoHash, name, pieceLengthBytes, pieceCount, totalLengthBytes, isPrivate } = parsed.value;
    if (pieceCount > MAX_INT)
      throw new Problem(422, 'metainfo-invalid', 'too many pieces', { reason: 'size-unsupported' });
    const { row, created, changed } = await this.torrents.add(
      {
        infoHash,
        // Postgres text can't hold a zero character.
        name: name.replaceAll('\0', ' '),
        pieceLength: pieceLengthBytes,
        pieceCount,
        totalBytes: BigInt(totalLengthBytes),
        private: isPrivate,
        metainfo,
        contentPath: torrent.contentPath,
        labels: torrent.labels,
        tier: torrent.tier,
        fileHashes: contentHashes(parsed.value),
        milliSatPerMib: sortPrice(null, { pieceLength: pieceLengthBytes, pieceCount }),
      },
      actor,
    );
    if (changed) this.news.assignmentsChanged(`torrent ${infoHash} added`);
    return { created, torrent: await this.detail(row) };
  }

  /** Throws `torrent-not-found`. */
  async get(infoHash: string): Promise<TorrentDetail> {
    return this.detail(await this.row(infoHash));
  }

  /** Throws `torrent-not-found`. */
  async row(infoHash: string): Promise<TorrentRow> {
    const row = await this.torrents.find(infoHash);
    if (row === null) throw torrentNotFound(infoHash);
    return row;
  }

  async list(
    filter: TorrentFilter,
    sort: TorrentSort,
    after: TorrentCursor | undefined,
    limit: number,
  ): Promise<Page<TorrentView>> {
    const rows = await this.torrents.list(filter, sort, after, limit);
    const infoHashes = rows.map(({ infoHash }) => infoHash);
    const [offers, counts] = await Promise.all([
      this.offers.currentOf(infoHashes),
      this.nodes.seedingCounts(infoHashes),
    ]);
    const fees = this.fees.now();
    return torrentPageOf(rows, sort, limit, (row) =>
      torrentView(row, offers.get(row.infoHash) ?? null, counts.get(row.infoHash) ?? [], fees),
    );
  }

  /** Throws `torrent-not-found`, `taken-down`, and `precondition-failed` when `versions` don't name the present one. */
  async change(
    infoHash: string,
    change: TorrentChange,
    actor: string,
    versions?: readonly number[],
  ): Promise<TorrentDetail> {
    const row = await this.torrents.change(infoHash, change, actor, versions);
    if (row === null) {
      requireVersion(versions, (await this.row(infoHash)).version);
      throw torrentNotFound(infoHash);
    }
    this.news.assignmentsChanged(`torrent ${infoHash} changed`);
    return this.detail(row);
  }

  private async detail(row: TorrentRow): Promise<TorrentDetail> {
    const [offer, seedings] = await Promise.all([
      this.offers.current(row.infoHash),
      this.nodes.seedingsOf(row.infoHash),
    ]);
    return torrentDetail(row, offer, seedings, this.fees.now(), Date.now());
  }
}

export function torrentNotFound(infoHash: string): Problem {
  return new Problem(404, 'torrent-not-found', `the fleet has no torrent ${infoHash}`, { infoHash });
}
