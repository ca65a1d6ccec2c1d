import {
  BuyerError,
  connectNode,
  ContractRecords,
  download,
  ExitCode,
  readTorrent,
  Refunds,
  WalletKeys,
  type Reporter,
} from '@seedfleet/buyer';
import { parseArguments, type Arguments } from './cli/arguments.js';
import { JsonReporter, TextReporter } from './cli/reporter.js';
import { USAGE } from './cli/usage.js';

/** npm runs scripts in the project's folder; INIT_CWD is where the caller stood. */
const cwd = process.env['INIT_CWD'] ?? process.cwd();

async function run(options: Arguments, reporter: (pieceBytes: number) => Reporter, signal: AbortSignal): Promise<void> {
  switch (options.command) {
    case 'help':
      process.stdout.write(`${USAGE}\n`);
      return;
    case 'download': {
      const metainfo = await readTorrent(options.torrentFile);
      return download(options, metainfo, reporter(metainfo.pieceLengthBytes), signal);
    }
    case 'refund': {
      const link = await connectNode(options);
      const keys = WalletKeys.open(options.walletDir, link.walletNetwork, link.channelNetwork);
      try {
        await new Refunds(link, keys, new ContractRecords(options.walletDir), reporter(0)).run();
      } finally {
        keys.close();
        link.node.close();
      }
    }
  }
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

const json = process.argv.includes('--json');
const reporterFor = (pieceBytes: number): Reporter => (json ? new JsonReporter() : new TextReporter(pieceBytes));
try {
  await run(parseArguments(process.argv.slice(2), process.env, cwd), reporterFor, stopping.signal);
  process.exitCode = ExitCode.done;
} catch (failure) {
  const known = failure instanceof BuyerError ? failure : undefined;
  const message = failure instanceof Error ? (known?.message ?? failure.stack ?? failure.message) : String(failure);
  reporterFor(0).report({ event: 'error', code: known?.code ?? 'internal', message });
  process.exitCode = known?.exitCode ?? ExitCode.failed;
}
// Sockets of peers that don't answer must not hold the command.
process.exit();
