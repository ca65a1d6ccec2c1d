import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS, PROOFS } from './proofs.js';
import { Scorecard } from './scorecard.js';
import { World } from './world/world.js';

const usage = (): string => {
  const lines = Object.entries({ ...PROOFS, ...CHECKS }).map(([name, { what }]) => `  ${name.padEnd(10)}${what}`);
  return [
    'usage: npm run proof -- NAME [--short] [--only TEXT] [--keep]',
    '',
    ...lines,
    '',
    '  --short      one case of each kind',
    '  --only TEXT  only cases whose name contains the text, or one of several separated by |',
    '  --keep       leave the state folder and its logs, and say where it is',
    '',
  ].join('\n');
};

/** Runs the named proof: 0 when everything held, 1 when something did not, 2 for an unknown name. */
export async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...flags] = args;
  if (Object.hasOwn(CHECKS, name)) return runCheck(name, flags.includes('--short'));
  if (!Object.hasOwn(PROOFS, name)) {
    process.stdout.write(usage());
    return 2;
  }
  const only = flags.includes('--only') ? flags[flags.indexOf('--only') + 1] : undefined;
  const scores = await runProof(name, {
    short: flags.includes('--short'),
    keep: flags.includes('--keep'),
    print: (line) => process.stdout.write(`${line}\n`),
    ...(only === undefined ? {} : { only }),
  });
  return scores.failed === 0 && scores.passed > 0 ? 0 : 1;
}

/** Runs a proof that needs no fleet, with the exit codes of `main`. */
async function runCheck(name: string, short: boolean): Promise<number> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const scores = new Scorecard(print);
  const check = await CHECKS[name]?.load();
  await check?.(short, scores);
  print(scores.summary());
  return scores.failed === 0 && scores.passed > 0 ? 0 : 1;
}

export interface ProofRun {
  readonly short: boolean;
  /** Whether the state folder stays. */
  readonly keep: boolean;
  readonly only?: string;
  readonly print: (line: string) => void;
}

/** Runs a proof on a fleet of its own in a temporary folder; nothing of it is left running. */
export async function runProof(name: string, { short, keep, only, print }: ProofRun): Promise<Scorecard> {
  const proof = PROOFS[name];
  if (proof === undefined) throw new RangeError(`no proof is called ${name}`);
  const scores = new Scorecard(print, only);
  const folder = mkdtempSync(join(tmpdir(), `seedfleet-proof-${name}-`));
  if (keep) print(`state and logs: ${folder}`);
  let world: World | undefined;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const simulate = await proof.simulate?.();
    if (simulate !== undefined) await simulate(short, scores);
    const run = await proof.load?.();
    if (run !== undefined) {
      world = await World.open(folder, proof.fleet, await proof.environment?.());
      scores.line('the fleet is up');
      const ended = new Promise<never>((_, reject) =>
        interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted'))),
      );
      await Promise.race([run(world, short, scores), ended]);
    }
  } catch (thrown) {
    scores.fail(`the proof broke off: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await world?.close();
    if (!keep) removeFolder(folder);
  }
  print(scores.summary());
  return scores;
}

/** Another user's server may have left files there; they are in the system's temporary folder. */
function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // as above
  }
}
