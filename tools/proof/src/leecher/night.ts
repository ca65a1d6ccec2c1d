import { randomBytes } from 'node:crypto';
import type { Scorecard } from '../scorecard.js';
import { describeEnd } from './client.js';
import { LossyLine, type LineConduct } from './lossy-line.js';
import { PIECE_BYTES, type Stage, type StageOptions, WINDOW } from './stage.js';

const MIB = 1024 * 1024;
const SAMPLE_MS = 250;
/** The program, its caches and a few pieces; what a long run may add to what the first third of it took. */
const MOST_GROWTH_BYTES = 40 * MIB;

export interface Night {
  readonly stage: StageOptions;
  readonly line: LineConduct;
  readonly pieces: number;
  readonly budgetSat: string;
}

/** Hours in small: pieces of 16 KiB over a line of a few hundred KiB a second, so that each of them counts. */
export function nightOf(short: boolean): Night {
  const pieces = short ? 240 : 12_000;
  return {
    pieces,
    budgetSat: short ? '9000' : '30000',
    stage: { content: randomBytes(pieces * PIECE_BYTES - 77), coins: short ? 6 : 200 },
    line: short
      ? { bytesPerSecond: 512 * 1024, stallEveryMs: 3_000, stallMs: 1_500, cutEveryMs: 6_000 }
      : { bytesPerSecond: 320 * 1024, stallEveryMs: 20_000, stallMs: 5_000, cutEveryMs: 45_000 },
  };
}

/**
 * One seller behind a line that is slow, falls silent and is cut; deposits for a small part each, so that there are many. Everything arrives, memory does not grow, every satoshi is accounted for.
 */
export async function onLossyLine(stage: Stage, night: Night, scores: Scorecard): Promise<readonly string[]> {
  const line = await LossyLine.open((await stage.seller()).address, night.line);
  const samples: number[] = [];
  let contracts = 0;
  let settling: Promise<unknown> = Promise.resolve();
  const patience = ['--patience', `${Math.ceil(night.line.stallMs / 1_000) + 3}`, '--wait', '120'];
  const words = stage.words('download', [...patience, '--budget', night.budgetSat], [line.address]);
  const startedMs = performance.now();
  const running = stage.client.start(words, {
    limitMs: 2 * 3_600_000,
    onEvent: (event) => {
      stage.onEvent(event);
      if (event.event === 'contract') contracts += 1;
      // What the seller earned is settled, so that the change can be deposited again.
      if (event.event === 'purchase-ended') settling = settling.then(() => stage.settle()).catch(() => undefined);
    },
  });
  const sampling = setInterval(() => samples.push(running.memoryBytes()), SAMPLE_MS);
  const ended = await running.ended;
  clearInterval(sampling);
  line.close();
  await settling;
  const minutes = (performance.now() - startedMs) / 60_000;
  const measured = samples.filter((bytes) => bytes > 0);
  const early = Math.max(...measured.slice(0, Math.ceil(measured.length / 3)));
  const peak = Math.max(...measured);
  scores.line(
    `  ${night.pieces} pieces in ${minutes.toFixed(1)} min: ${line.cuts} cuts, ${line.stalls} stalls, ${contracts} contracts; ` +
      `at most ${(early / MIB).toFixed(0)} MiB in the first third, ${(peak / MIB).toFixed(0)} MiB in all`,
  );
  const faults: string[] = [];
  if (ended.exitCode !== 0) faults.push(describeEnd(ended));
  if (!stage.isComplete()) faults.push('the content is not what it should be');
  if (line.cuts === 0 && line.stalls === 0) faults.push('the line was good');
  if (peak - early > MOST_GROWTH_BYTES) faults.push(`memory grew from ${early} to ${peak} bytes`);
  await stage.settle();
  const paidFor = night.pieces + WINDOW * contracts;
  return [...faults, ...(await stage.takeBack()), ...(await stage.accountFaults(paidFor))];
}
