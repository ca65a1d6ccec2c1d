import type { ReportEvent, Reporter } from '@seedfleet/buyer';
import { lineOf } from './lines.js';

/** One JSON object per line on standard output. */
export class JsonReporter implements Reporter {
  report(event: ReportEvent): void {
    process.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

const BAR_WIDTH = 30;

/** Lines for a person; on a terminal the progress is a bar that stays in place. */
export class TextReporter implements Reporter {
  private barShown = false;
  private lastTenth = -1;

  constructor(private readonly pieceBytes: number) {}

  report(event: ReportEvent): void {
    if (event.event === 'progress') return this.progress(event);
    if (event.event === 'error') {
      this.endBar();
      process.stderr.write(`leecher: ${event.message}\n`);
      return;
    }
    const line = lineOf(event, this.pieceBytes);
    if (line === undefined) return;
    this.endBar();
    process.stdout.write(`${line}\n`);
  }

  private progress(event: Extract<ReportEvent, { event: 'progress' }>): void {
    const { have, pieces, paidSat, bytesPerSecond, secondsLeft } = event;
    const speed = `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
    if (!process.stdout.isTTY) {
      const tenth = Math.floor((10 * have) / pieces);
      if (tenth === this.lastTenth) return;
      this.lastTenth = tenth;
      process.stdout.write(`${have}/${pieces} pieces, ${paidSat} sat, ${speed}\n`);
      return;
    }
    const filled = Math.round((have / pieces) * BAR_WIDTH);
    const bar = `[${'#'.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`;
    const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`;
    // Erases to the end of the line: the new text may be shorter.
    process.stdout.write(`\r${bar} ${have}/${pieces} pieces, ${paidSat} sat, ${speed}${left}\u001b[K`);
    this.barShown = true;
  }

  private endBar(): void {
    if (this.barShown) process.stdout.write('\n');
    this.barShown = false;
  }
}

function duration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h} h ${m} min`;
  return m > 0 ? `${m} min ${s} s` : `${s} s`;
}
