import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from './hostile.js';
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

it('attacks a node that runs, named by the state folder of its fleet or by its parts', async () => {
  const inState = ['--state', own.stateDir, '--local-limits'];
  expect(await main([...inState, '--only', 'request flood'])).toBe(0);
  const torrents = join(own.stateDir, 'services', 'node-1', 'torrents');
  const torrent = join(torrents, readdirSync(torrents)[0]!);
  const parts = ['--seller', own.target.address, '--torrent', torrent, '--metrics', own.target.metricsUrl!];
  expect(await main([...parts, '--only', 'frames'])).toBe(0);
  // Nothing is said of a node by buyers that can't trade with it.
  expect(await main([...parts, '--only', 'false outpoint'])).toBe(1);
  expect(await main(['--state', join(own.stateDir, 'nowhere')])).toBe(2);
});
