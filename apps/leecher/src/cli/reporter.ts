import type { ReportEvent, Reporter } from '@seedfleet/buyer';

/** One JSON object per line on standard output. */
export class JsonReporter implements Reporter {
  report(event: ReportEvent): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

const BAR_WIDTH = 30;
const BAR_EVERY_MS = 100;

/** Lines for a person; on a terminal the pieces are a bar that stays in place. */
export class TextReporter implements Reporter {
  private barShown = false;
  private lastBarMs = 0;
  private readonly startedMs = performance.now();

  constructor(private readonly pieceBytes: number) {}

  report(event: ReportEvent): void {
    switch (event.event) {
      case 'wallet':
        return this.line(`wallet ${event.dir}: ${event.spendableSat} sat spendable`);
      case 'mining':
        return this.line(`mining ${event.blocks} regtest blocks: ${event.detail}`);
      case 'resumed':
        return this.line(`${event.have} of ${event.pieces} pieces are there already`);
      case 'seller-connected':
        return this.line(`connected to ${event.seller}`);
      case 'seller-lost':
        return this.line(`lost ${event.seller}: ${event.code}`);
      case 'seller-joined':
        return this.line(
          `${event.seller} joins at ${event.priceSat} sat a piece` +
            (event.latencyMs === null ? '' : `, speed test ${Math.round(event.latencyMs)} ms`),
        );
      case 'contract':
        return this.line(
          `deposit ${event.depositSat} sat (fee ${event.feeSat}) in ${event.txid}; ` +
            `unspent change returns by settlement, or by refund ${event.refundableAfterUnits} × 512 s after it is mined`,
        );
      case 'piece':
        return this.bar(event.have, event.pieces);
      case 'payment':
        return;
      case 'purchase-ended':
        return this.line(`purchase from ${event.seller} ended: ${event.code}, ${event.payments} payments`);
      case 'done':
        return this.line(
          `done: ${event.pieces} pieces in ${event.out}, ${event.payments} payments, ${event.paidSat} sat, ` +
            `${event.seconds.toFixed(1)} s`,
        );
      case 'refund':
        return this.line(`${event.outpoint}: ${event.state}${event.detail === '' ? '' : ` (${event.detail})`}`);
      case 'error':
        this.endBar();
        process.stderr.write(`leecher: ${event.message}\n`);
    }
  }

  private bar(have: number, pieces: number): void {
    if (!process.stdout.isTTY) {
      const step = Math.max(1, Math.ceil(pieces / 10));
      if (have % step === 0 || have === pieces) this.line(`${have}/${pieces} pieces`);
      return;
    }
    const nowMs = performance.now();
    if (have < pieces && nowMs - this.lastBarMs < BAR_EVERY_MS) return;
    this.lastBarMs = nowMs;
    const filled = Math.round((have / pieces) * BAR_WIDTH);
    const speed = (have * this.pieceBytes) / Math.max(1, nowMs - this.startedMs) / 1_000;
    process.stdout.write(
      `\r[${'#'.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}] ${have}/${pieces} pieces, ${speed.toFixed(1)} MB/s `,
    );
    this.barShown = true;
    if (have === pieces) this.endBar();
  }

  private line(text: string): void {
    this.endBar();
    process.stdout.write(`${text}\n`);
  }

  private endBar(): void {
    if (this.barShown) process.stdout.write('\n');
    this.barShown = false;
  }
}
