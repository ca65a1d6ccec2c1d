import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Logger } from '@seedfleet/service-kit';
import { z } from 'zod';
import type { FreeBudget, GivenOfDay } from './free-budget.js';

const INTERVAL_MS = 5_000;
const givenOfDay = z.object({ day: z.int(), bytesByTorrent: z.record(z.string(), z.int().min(0)) });

/** What an earlier process gave away; an unreadable note counts as nothing. */
export function readGiven(path: string): GivenOfDay | undefined {
  try {
    return givenOfDay.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Notes every 5 s what was given away, so that a restart does not give the day's bytes again. A crash forgets at most
 * what was given since.
 */
export class GivenFile {
  private timer: NodeJS.Timeout | undefined;
  private written = '';

  constructor(
    private readonly path: string,
    private readonly budget: FreeBudget,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.write(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.write();
  }

  private write(): void {
    const text = JSON.stringify(this.budget.given);
    if (text === this.written || (this.written === '' && text.endsWith('{}}'))) return;
    this.written = text;
    try {
      writeFileSync(`${this.path}.new`, text);
      renameSync(`${this.path}.new`, this.path);
    } catch (failure) {
      this.logger.warn({ failure: String(failure) }, 'the note of what was given away is not written');
    }
  }
}
