import { randomUUID } from 'node:crypto';
import { demandReport, MAX_REPORTED_TORRENTS, type Bus } from '@seedfleet/bus';
import type { Logger } from '@seedfleet/service-kit';
import type { DemandBook, TorrentDemand } from './demand-book.js';

const INTERVAL_MS = 10_000;

/**
 * Tells the fleet what buyers asked for. A report that was not acknowledged is sent again as it was, under its number, so
 * that nothing is counted twice; what comes meanwhile waits in the bounded book.
 */
export class DemandReports {
  private readonly run = randomUUID();
  private seq = 0;
  private pending: TorrentDemand[] = [];
  private timer: NodeJS.Timeout | undefined;
  private sending = false;

  constructor(
    private readonly parts: {
      readonly nodeId: string;
      readonly bus: Pick<Bus, 'request'>;
      readonly book: DemandBook;
      readonly logger: Logger;
    },
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.send(), INTERVAL_MS);
  }

  /** Sends what is left, once. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.send();
  }

  async send(): Promise<void> {
    if (this.sending) return;
    if (this.pending.length === 0) {
      this.pending = this.parts.book.take(MAX_REPORTED_TORRENTS);
      this.seq += 1;
    }
    if (this.pending.length === 0) return;
    this.sending = true;
    const { bus, nodeId, logger } = this.parts;
    const reply = await bus.request(demandReport, { nodeId, run: this.run, seq: this.seq, torrents: this.pending });
    if (reply.ok) this.pending = [];
    else logger.warn({ code: reply.code }, 'demand report not taken');
    this.sending = false;
  }
}
