import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scorecard } from '../scorecard.js';
import { DrillSite } from './drill-site.js';
import { putGoodsOnSale, type Drill } from './drill.js';
import { leakedApiKey, leakedNodeCredential } from './leaks.js';
import { loseDatabase, loseSeedHost, loseSite, staleRestore } from './losses.js';
import { loseSignerHost } from './lost-signer.js';
import { readRunbook } from './runbook.js';

/** By the names of their pages in docs/runbooks/disasters. */
export const DRILLS: Readonly<Record<string, Drill>> = {
  'lose-database': loseDatabase,
  'lose-seed-host': loseSeedHost,
  'lose-signer-host': loseSignerHost,
  'lose-site': loseSite,
  'stale-restore': staleRestore,
  'leaked-node-credential': leakedNodeCredential,
  'leaked-api-key': leakedApiKey,
};

const usage = (): string =>
  [
    'usage: npm run drill -- NAME|all [--keep]',
    '',
    ...Object.entries(DRILLS).map(([name, { what }]) => `  ${name.padEnd(24)}${what}`),
    '',
    'Brings up a fleet of its own, makes sales and the disaster, follows docs/runbooks/disasters/NAME.md command by command,',
    'and holds chain and books against what was paid.',
    '',
    '  --keep   leave the folder with state and logs, and say where it is',
    '',
  ].join('\n');

/** Runs `npm run drill`: 0 when everything held, 1 when something did not, 2 for an unknown name. */
export async function drillMain(args: readonly string[]): Promise<number> {
  const [name = '', ...flags] = args;
  const names = name === 'all' ? Object.keys(DRILLS) : Object.hasOwn(DRILLS, name) ? [name] : [];
  if (names.length === 0 || flags.some((flag) => flag !== '--keep')) {
    process.stdout.write(usage());
    return 2;
  }
  const scores = new Scorecard((line) => process.stdout.write(`${line}\n`));
  for (const each of names) await runDrills([each], scores, flags.includes('--keep'));
  process.stdout.write(`${scores.summary()}\n`);
  return scores.failed === 0 && scores.passed > 0 ? 0 : 1;
}

/** Runs drills one after the other on one fleet: all but the last have to leave it as good as it was. Nothing stays running. */
export async function runDrills(names: readonly string[], scores: Scorecard, keep: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-drill-'));
  if (keep) scores.line(`state and logs: ${folder}`);
  let site: DrillSite | undefined;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const ended = new Promise<never>((_, reject) =>
    interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted'))),
  );
  ended.catch(() => undefined);
  try {
    const remoteSigner = names.some((name) => DRILLS[name]?.remoteSigner);
    site = await DrillSite.open(folder, interrupted.signal, { remoteSigner });
    scores.line('the fleet is up');
    for (const name of names) {
      scores.line(`${name}: ${DRILLS[name]?.what}`);
      await Promise.race([runDrill(name, site, scores), ended]);
    }
  } catch (thrown) {
    scores.fail(`broke off: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await site?.close();
    if (!keep) rmSync(folder, { recursive: true, force: true });
  }
}

async function runDrill(name: string, site: DrillSite, scores: Scorecard): Promise<void> {
  const drill = DRILLS[name];
  if (drill === undefined) throw new RangeError(`no drill is called ${name}`);
  const { before, steps, otherwise } = readRunbook(name);
  await drill.run({
    site,
    scores,
    goods: await putGoodsOnSale(site, name),
    before: async () => void (await site.operator.follow(before)),
    follow: () => site.operator.follow(steps),
    followOtherwise: () => site.operator.follow(otherwise),
  });
}
