import { staleReferences, writeReferences } from './references.js';

/** Runs `npm run references`: makes the files that are made from code and rules; `--check` only says which are stale. */
export async function referencesCommand(args: readonly string[]): Promise<number> {
  const check = args.includes('--check');
  const stale = check ? await staleReferences() : await writeReferences();
  for (const path of stale) process.stdout.write(`${path} ${check ? 'is stale' : 'written'}\n`);
  if (stale.length === 0) process.stdout.write('everything is up to date\n');
  return check && stale.length > 0 ? 1 : 0;
}
