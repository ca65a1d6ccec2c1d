import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FleetError } from '../errors.js';
import { lastLines } from '../supervise/log-file.js';
import type { Supervisor } from '../supervise/supervisor.js';

/** One purchase by the leecher. */
export interface PurchaseOrder {
  readonly torrentFile: string;
  readonly outDir: string;
  readonly walletDir: string;
  /** HOST:PORT of each seller. */
  readonly peers: readonly string[];
  readonly rpcUrl: string;
  readonly network: string;
}

const done = z.object({
  event: z.literal('done'),
  pieces: z.number(),
  payments: z.number(),
  paidSat: z.string(),
  fundingTxid: z.string().nullable(),
});
const failed = z.object({ event: z.literal('error'), code: z.string(), message: z.string() });

/** What the leecher says when it is done. */
export type Purchase = z.output<typeof done> & { readonly fundingTxid: string };

const LEECHER = fileURLToPath(new URL('../../../../apps/leecher/dist/main.js', import.meta.url));
/** What its exit codes mean. */
const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  2: 'it could not use the command line or a file named there',
  3: 'no seller with fitting terms joined',
  4: 'it had not enough coins, or the node refused the funding transaction',
  5: 'the download ended before every piece was there',
};

/** Runs the leecher as its own process and waits for it. Throws FleetError when it does not finish. */
export async function purchase(order: PurchaseOrder, supervisor: Supervisor): Promise<Purchase> {
  let finished: z.output<typeof done> | undefined;
  let error: z.output<typeof failed> | undefined;
  const { exitCode, errorOutput } = await supervisor.run({
    name: 'leecher',
    command: process.execPath,
    args: [
      '--enable-source-maps',
      LEECHER,
      'download',
      order.torrentFile,
      ...['--out', order.outDir, '--wallet', order.walletDir, '--rpc', order.rpcUrl, '--network', order.network],
      ...order.peers.flatMap((peer) => ['--peer', peer]),
      '--json',
    ],
    env: { PATH: process.env['PATH'] ?? '', HOME: order.walletDir },
    cwd: '/',
    onLine: (line) => {
      const event = parseLine(line);
      finished = done.safeParse(event).data ?? finished;
      error = failed.safeParse(event).data ?? error;
    },
  });
  if (exitCode === 0 && finished?.fundingTxid) return { ...finished, fundingTxid: finished.fundingTxid };
  const meaning =
    exitCode === null ? 'it was ended' : (EXIT_MEANINGS[exitCode] ?? `it ended with exit code ${exitCode}`);
  const said = error === undefined ? lastLines(errorOutput, 6) : `${error.code}: ${error.message}`;
  throw new FleetError(
    'purchase-failed',
    'the leecher did not buy the torrent',
    said === '' ? meaning : `${meaning}; ${said}`,
    'see the logs of the nodes and of the channel service',
  );
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
