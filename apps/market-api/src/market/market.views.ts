import { satPerMib } from '../offers/price-per-size.js';
import { defaultPriceSat, type EffectiveOffer, type PricedContent } from '../offers/terms-of-sale.js';
import type { OfferRow } from '../offers/offer.repository.js';
import type { TorrentRow } from '../torrents/torrent.repository.js';
import type { MarketTorrentView, PricePointView } from './market.schemas.js';

/** How the market looks to strangers. */

/** Addresses shown per torrent: more than a buyer connects to. */
const MAX_PEERS = 50;
/** Addresses in a magnet link, which has to stay short enough to be passed on. */
const MAX_MAGNET_PEERS = 10;

export function marketView(
  row: TorrentRow,
  terms: EffectiveOffer,
  peers: readonly string[],
  bytesPerSecond: number | null,
): MarketTorrentView {
  return {
    infoHash: row.infoHash,
    name: row.name,
    totalBytes: Number(row.totalBytes),
    pieceLengthBytes: row.pieceLength,
    pieceCount: row.pieceCount,
    private: row.private,
    tier: row.tier,
    priceSat: terms.priceSat.toString(),
    satPerMib: satPerMib(terms.priceSat, row.pieceLength),
    satPerGib: ((terms.priceSat << 30n) / BigInt(row.pieceLength)).toString(),
    totalSat: (terms.priceSat * BigInt(row.pieceCount)).toString(),
    lockUnits: terms.lockUnits,
    minContractFeePerKbSat: terms.minContractFeePerKbSat.toString(),
    maxSellers: terms.maxSellers,
    available: peers.length > 0,
    peers: peers.slice(0, MAX_PEERS),
    bytesPerSecond,
    torrentFile: `/v1/market/torrents/${row.infoHash}/file.torrent`,
    magnet: magnetOf(row, peers),
  };
}

/** A magnet link (BEP 9) that names nodes as peers, so that a buyer needs no tracker to find them. */
function magnetOf({ infoHash, name, totalBytes }: TorrentRow, peers: readonly string[]): string {
  const nodes = peers.slice(0, MAX_MAGNET_PEERS).map((peer) => `&x.pe=${encodeURIComponent(peer)}`);
  return `magnet:?xt=urn:btih:${infoHash}&dn=${encodeURIComponent(name)}&xl=${totalBytes}${nodes.join('')}`;
}

export function pricePointView(
  content: PricedContent,
  offer: Pick<OfferRow, 'priceSat' | 'createdAt'>,
): PricePointView {
  const priceSat = offer.priceSat ?? defaultPriceSat(content);
  return {
    priceSat: priceSat.toString(),
    satPerMib: satPerMib(priceSat, content.pieceLength),
    totalSat: (priceSat * BigInt(content.pieceCount)).toString(),
    since: offer.createdAt.toISOString(),
  };
}
