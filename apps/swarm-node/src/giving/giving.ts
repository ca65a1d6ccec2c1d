import type { Block, Peer } from '@seedfleet/bittorrent';
import { pieceLengthAt } from '@seedfleet/bittorrent';
import type { TorrentOnSale } from '../content/shelf.js';
import type { Origin } from '../limits/origin.js';
import type { SellingServices } from '../selling/services.js';
import type { FreeTier, FreeVerdict } from './free-budget.js';

/** What clients ask for; larger blocks are refused by most seeds. */
const MAX_BLOCK_BYTES = 16 * 1024;
/** Requests kept per peer; the rest is rejected. libtorrent keeps 500 open, as far as `reqq` allows. */
const MAX_QUEUED = 64;
/** Blocks of one peer that are being read or sent. */
const MAX_IN_SERVICE = 4;

/**
 * The free tier of one connection: an ordinary leecher is unchoked while its torrent has one and there is something
 * left of its caps, and gets blocks in turn, behind everything that is sold. Without one, never a byte.
 */
export class Giving {
  private readonly queue: Block[] = [];
  private inService = 0;
  private unchoked = false;
  private stopped = false;

  constructor(
    private readonly services: SellingServices,
    private readonly torrent: TorrentOnSale,
    private readonly origin: Origin,
    private readonly peer: Peer,
  ) {}

  /** Listens; before the peer is started. */
  start(): void {
    this.peer.on('interested', () => this.onTick());
    this.peer.on('blockRequest', (block) => this.onRequest(block));
    this.peer.on('blockCancel', (block) => this.onCancel(block));
  }

  stop(): void {
    this.stopped = true;
    this.queue.length = 0;
  }

  /** Unchokes when there is something to give again, and chokes when the tier was switched off. */
  onTick(): void {
    if (this.stopped || (this.tier === undefined && !this.unchoked)) return;
    const may = this.verdictFor(MAX_BLOCK_BYTES) === 'given';
    if (may && !this.unchoked && this.peer.isInterested) {
      this.unchoked = true;
      this.peer.unchoke();
    } else if (this.unchoked && this.tier === undefined) {
      this.choke('switched-off');
    }
  }

  private get tier(): FreeTier | undefined {
    return this.torrent.active ? (this.torrent.offer.freeTier ?? undefined) : undefined;
  }

  private verdictFor(bytes: number): FreeVerdict | 'switched-off' {
    if (this.tier === undefined) return 'switched-off';
    return this.services.free.verdict(this.torrent.infoHash, this.origin, this.tier, bytes);
  }

  private onRequest(block: Block): void {
    if (!this.isSound(block)) return this.peer.close('frame-malformed');
    if (this.queue.length >= MAX_QUEUED) return this.refuse(block, 'queue-full');
    this.queue.push(block);
    this.serve();
  }

  private onCancel(block: Block): void {
    const at = this.queue.findIndex(
      (queued) => queued.piece === block.piece && queued.offsetBytes === block.offsetBytes,
    );
    if (at >= 0) this.queue.splice(at, 1);
  }

  private serve(): void {
    while (!this.stopped && this.inService < MAX_IN_SERVICE) {
      const block = this.queue.shift();
      if (block === undefined) return;
      const { infoHash } = this.torrent;
      const { tier } = this;
      const verdict =
        tier === undefined ? 'switched-off' : this.services.free.take(infoHash, this.origin, tier, block.lengthBytes);
      if (verdict !== 'given') {
        this.refuse(block, verdict);
        return this.choke(verdict);
      }
      this.inService += 1;
      void this.send(block).finally(() => {
        this.inService -= 1;
        this.serve();
      });
    }
  }

  /** Reads the piece, hash-checked like one that is sold, and sends the block; resolves when it has left. */
  private async send(block: Block): Promise<void> {
    const { pieces, metrics, verifier } = this.services;
    const read = await pieces.read(this.torrent.content, block.piece);
    if (!read.ok) {
      if (read.error.code !== 'busy' && read.error.code !== 'aborted') void verifier.distrust(this.torrent, read.error);
      return this.refuse(block, read.error.code);
    }
    const { data, release } = read.value;
    if (this.stopped) return release();
    metrics.freeBytesSent.inc(block.lengthBytes);
    const part = data.subarray(block.offsetBytes, block.offsetBytes + block.lengthBytes);
    await new Promise<void>((resolve) => {
      this.peer.sendBlock(block, part, () => {
        release();
        resolve();
      });
    });
  }

  private refuse(block: Block, code: string): void {
    this.services.metrics.freeRefused.inc({ code });
    this.peer.rejectBlock(block);
  }

  private choke(code: string): void {
    for (const block of this.queue.splice(0)) this.refuse(block, code);
    this.unchoked = false;
    this.peer.choke();
  }

  private isSound({ piece, offsetBytes, lengthBytes }: Block): boolean {
    const { metainfo } = this.torrent;
    if (piece >= metainfo.pieceCount || lengthBytes === 0 || lengthBytes > MAX_BLOCK_BYTES) return false;
    return offsetBytes + lengthBytes <= pieceLengthAt(metainfo, piece);
  }
}
