import { seedingReport, type Bus } from '@seedfleet/bus';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import { seedingStateOf, type Shelf, type ShelvedTorrent } from '../content/shelf.js';

/** Reports leave at most this often; progress changes faster. */
const INTERVAL_MS = 1_000;
const MAX_PER_REPORT = 500;

/** Tells the fleet how each torrent stands: what changed, again until it is taken. */
export class SeedingReports {
  private readonly dirty = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private sending = false;

  constructor(
    private readonly parts: {
      readonly nodeId: string;
      readonly bus: Bus;
      readonly shelf: Shelf;
      readonly logger: Logger;
    },
  ) {
    parts.shelf.listen({
      changed: (torrent) => this.dirty.add(torrent.infoHash),
      removed: (infoHash) => this.dirty.delete(infoHash),
    });
  }

  start(): void {
    this.timer = setInterval(() => void this.send(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Everything is to be told again: the fleet may have forgotten it. */
  repeatAll(): void {
    for (const torrent of this.parts.shelf.all()) this.dirty.add(torrent.infoHash);
  }

  private async send(): Promise<void> {
    if (this.sending || this.dirty.size === 0) return;
    this.sending = true;
    const batch = [...this.dirty].slice(0, MAX_PER_REPORT);
    for (const infoHash of batch) this.dirty.delete(infoHash);
    const reports = batch
      .map((infoHash) => this.parts.shelf.get(infoHash))
      .filter((torrent): torrent is ShelvedTorrent => torrent !== undefined)
      .map((torrent) => ({
        infoHash: torrent.infoHash,
        state: seedingStateOf(torrent),
        progress: torrent.progress,
        detail: torrent.detail.slice(0, 300),
      }));
    faultPoint('node.report.before-request');
    const reply = await this.parts.bus.request(seedingReport, { nodeId: this.parts.nodeId, reports });
    if (!reply.ok) {
      for (const infoHash of batch) this.dirty.add(infoHash);
      this.parts.logger.warn({ code: reply.code }, 'seeding report not taken');
    }
    this.sending = false;
    // Thousands of torrents would take many seconds; what the fleet has just taken, it can take again.
    if (reply.ok && this.dirty.size >= MAX_PER_REPORT) void this.send();
  }
}
