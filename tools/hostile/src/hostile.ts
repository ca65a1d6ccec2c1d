import { readOptions, USAGE, type HostileOptions } from './options.js';
import { runSuite, type Verdict } from './suite.js';
import { givenTarget } from './world/given-target.js';
import { bringTarget } from './world/own-fleet.js';
import type { Target } from './world/target.js';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Runs the suite: 0 when every bound held, 1 when one did not, 2 for an unusable command line. */
export async function main(args: readonly string[]): Promise<number> {
  let options: HostileOptions;
  let given: Target | undefined;
  try {
    options = readOptions(args);
    if (options.help) return (print(USAGE), 0);
    given = givenTarget(options);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${USAGE}`);
    return 2;
  }
  const { target, stop } = given === undefined ? await bringOwn() : { target: given, stop: () => Promise.resolve() };
  try {
    const { short, only } = options;
    return summary(await runSuite(target, { short, only, print }));
  } finally {
    await stop();
  }
}

async function bringOwn() {
  print('bringing a fleet of two nodes …');
  return bringTarget();
}

function summary(verdicts: readonly Verdict[]): number {
  const failed = verdicts.filter(({ faults }) => faults.length > 0).length;
  const skipped = verdicts.filter((verdict) => verdict.skipped).length;
  const passed = verdicts.length - failed - skipped;
  if (skipped > 0) print(`${skipped} skipped`);
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
