import type { Report } from './report.js';
import { runFiles } from './run.js';

const USAGE = `usage: npm run conformance -- FILE…

Runs reference vectors (wire, payment channel, scenarios, transcripts) against the protocol libraries.`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const printReport = (report: Report): void => {
  for (const skipped of report.skipped) print(`skipped ${skipped}`);
  for (const { name, differences } of report.failures) {
    print(`FAILED ${name}`);
    for (const difference of differences) print(`    ${difference}`);
  }
  for (const [id, uses] of report.ruleUses) print(`deliberate difference ${id}: ${uses} cases`);
  print(`${report.passed} passed, ${report.failures.length} failed`);
};

/** Runs the files named on the command line; 0 when nothing failed, 1 when something did, 2 without files. */
export const main = async (paths: readonly string[]): Promise<number> => {
  if (paths.length === 0) {
    print(USAGE);
    return 2;
  }
  const report = await runFiles(paths);
  printReport(report);
  return report.failures.length === 0 ? 0 : 1;
};
