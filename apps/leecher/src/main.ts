import { BuyerError, ExitCode, type Reporter } from '@seedfleet/buyer';
import { parseArguments, type Arguments } from './cli/arguments.js';
import { completionScript } from './cli/completion.js';
import { JsonReporter, TextReporter } from './cli/reporter.js';
import { USAGE } from './cli/usage.js';
import { version } from './cli/version.js';
import { buy } from './commands/buy.js';
import { refund } from './commands/refund.js';
import {
  initWallet,
  receiveAddress,
  restoreWallet,
  sendCoins,
  showBalance,
  showHistory,
  showSeed,
} from './commands/wallet.js';

/** npm runs scripts in the project's folder; INIT_CWD is where the caller stood. */
const cwd = process.env['INIT_CWD'] ?? process.cwd();

async function run(
  options: Arguments,
  reporterFor: (pieceBytes: number) => Reporter,
  signal: AbortSignal,
): Promise<void> {
  const reporter = reporterFor(0);
  switch (options.command) {
    case 'help':
      return void process.stdout.write(`${USAGE}\n`);
    case 'version':
      return void process.stdout.write(`leecher ${version()}\n`);
    case 'completion':
      return void process.stdout.write(completionScript(options.shell));
    case 'download':
    case 'stream':
      return buy(options, reporterFor, signal);
    case 'refund':
      return refund(options, reporter, signal);
    case 'wallet init':
      return initWallet(options, reporter);
    case 'wallet restore':
      return restoreWallet(options, reporter, signal);
    case 'wallet receive':
      return receiveAddress(options, reporter);
    case 'wallet balance':
      return showBalance(options, reporter);
    case 'wallet history':
      return showHistory(options, reporter);
    case 'wallet send':
      return sendCoins(options, reporter);
    case 'wallet seed':
      return showSeed(options, reporter);
  }
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

const json = process.argv.includes('--json');
const reporterFor = (pieceBytes: number): Reporter => (json ? new JsonReporter() : new TextReporter(pieceBytes));
try {
  const surroundings = { environment: process.env, cwd, nowSec: Math.floor(Date.now() / 1_000) };
  await run(parseArguments(process.argv.slice(2), surroundings), reporterFor, stopping.signal);
  process.exitCode = ExitCode.done;
} catch (failure) {
  const known = failure instanceof BuyerError ? failure : undefined;
  const message = failure instanceof Error ? (known?.message ?? failure.stack ?? failure.message) : String(failure);
  reporterFor(0).report({ event: 'error', code: known?.code ?? 'internal', message });
  process.exitCode = known?.exitCode ?? ExitCode.failed;
}
// Sockets of peers that don't answer must not hold the command.
process.exit();
