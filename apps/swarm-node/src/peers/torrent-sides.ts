import { MAX_PEX_BYTES, obfuscatedHash, PieceSet, type TorrentSide } from '@seedfleet/bittorrent';
import { MAX_CONTROL_PAYLOAD_BYTES } from '@seedfleet/exchange';
import type { Shelf, TorrentOnSale } from '../content/shelf.js';
import { FOREIGN_ID } from './foreign-ids.js';

/** The torrents on sale as the peer protocol sees them, found by hash, or by what stands for it when encrypted. */
export class TorrentSides {
  /** Made once per torrent. */
  private readonly sides = new WeakMap<TorrentOnSale, TorrentSide>();
  /** Of all torrents on the shelf: the info hash by its obfuscated form, which is all that a peer shows. */
  private readonly infoHashes = new Map<string, string>();

  constructor(private readonly shelf: Shelf) {
    for (const { infoHash } of shelf.all()) this.learn(infoHash);
    shelf.listen({
      added: ({ infoHash }) => this.learn(infoHash),
      changed: () => undefined,
      removed: (infoHash) => this.infoHashes.delete(obfuscatedHash(infoHash)),
    });
  }

  of(infoHash: string): TorrentSide | undefined {
    const torrent = this.shelf.onSale(infoHash);
    if (torrent === undefined) return undefined;
    const known = this.sides.get(torrent);
    if (known !== undefined) return known;
    const { pieceCount } = torrent.metainfo;
    const side: TorrentSide = {
      infoHash,
      pieceCount,
      have: PieceSet.full(pieceCount),
      // Ids that nobody announced are the exchange's to judge; none is legitimate above this size (wire protocol §8).
      extended: { limitBytes: (id) => (id === FOREIGN_ID.ut_pex ? MAX_PEX_BYTES : MAX_CONTROL_PAYLOAD_BYTES) },
    };
    this.sides.set(torrent, side);
    return side;
  }

  infoHashOf(obfuscated: string): string | undefined {
    return this.infoHashes.get(obfuscated);
  }

  private learn(infoHash: string): void {
    this.infoHashes.set(obfuscatedHash(infoHash), infoHash);
  }
}
