import { expect, it } from 'vitest';
import { Scorecard } from '../scorecard.js';
import { runDrills } from './command.js';

/** Those that leave the fleet as good as it was, and so need one only. The others are in the short form of the proof `restore`. */
it('what is lost or leaked is made good by its runbook, and costs no payment', async () => {
  const lines: string[] = [];
  const scores = new Scorecard((line) => lines.push(line));
  await runDrills(['lose-seed-host', 'leaked-node-credential', 'leaked-api-key'], scores, false);
  expect(scores.failed, lines.join('\n')).toBe(0);
  expect(scores.passed, lines.join('\n')).toBe(9);
});
