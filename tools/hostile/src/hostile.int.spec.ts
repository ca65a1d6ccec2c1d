import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSuite } from './suite.js';
import { bringTarget } from './world/own-fleet.js';

let own: Awaited<ReturnType<typeof bringTarget>>;
beforeAll(async () => void (own = await bringTarget()));
afterAll(() => own.stop());

it('costs no more than its bound to be attacked, by the cheap half of the hostile buyers', async () => {
  const lines: string[] = [];
  const verdicts = await runSuite(own.target, { short: true, print: (line) => lines.push(line) });
  expect(verdicts.length).toBeGreaterThanOrEqual(10);
  expect(verdicts.filter(({ skipped }) => skipped)).toEqual([]);
  expect(
    verdicts.filter(({ faults }) => faults.length > 0),
    lines.join('\n'),
  ).toEqual([]);
});
