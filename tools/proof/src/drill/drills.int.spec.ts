import { expect, it } from 'vitest';
import { Scorecard } from '../scorecard.js';
import { runDrills } from './command.js';

/** The two leaks: they leave the fleet as good as it was, and so need one only. Restores are in the short form of its proof. */
it('leaks are stopped by their runbooks, and cost no payment', async () => {
  const lines: string[] = [];
  const scores = new Scorecard((line) => lines.push(line));
  await runDrills(['leaked-node-credential', 'leaked-api-key'], scores, false);
  expect(scores.failed, lines.join('\n')).toBe(0);
  expect(scores.passed, lines.join('\n')).toBe(6);
});
