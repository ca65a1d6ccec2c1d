import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NETWORKS, type Network } from '../providers/provider.js';
import { MAX_NODES } from './max-nodes.js';

/** What the command line of `npm start` asks for. */
export interface StartOptions {
  /** Exit once the settlement is buried. */
  readonly once: boolean;
  /** Sell something, to show that it works. */
  readonly sale: boolean;
  /** Absolute. */
  readonly stateDir: string;
  readonly nodes: number;
  readonly network: Network;
  readonly mine: boolean;
  /** A settlement tower beside the fleet. */
  readonly tower: boolean;
  /** Absolute; folders whose content the market API may make into torrents. */
  readonly contentRoots: readonly string[];
  /** Limits per address and subnet hold for this machine's own addresses too. */
  readonly localLimits: boolean;
  /** Keep the seed in a process of its own. */
  readonly remoteSigner: boolean;
  /** Bring what is missing without asking. */
  readonly yes: boolean;
}

/** The options, a wish for help, or what is wrong with the command line. */
export type ParsedOptions =
  | { readonly ok: true; readonly options: StartOptions }
  | { readonly ok: false; readonly code: 'help' }
  | { readonly ok: false; readonly code: 'usage'; readonly problem: string };

/** The text of `npm start -- --help`. */
export const USAGE = `npm start -- [OPTIONS]

Brings up the whole fleet on this machine, sells a torrent to the leecher, and stays until Ctrl-C.

  --once           exit when the settlement is buried: 0 if everything agrees
  --no-sale        only bring the fleet up
  --state DIR      holds all state; a second start resumes it (default: .seedfleet)
  --nodes N        swarm nodes, on 127.0.0.1, 127.0.0.2, … (default: 1, at most ${MAX_NODES})
  --network NAME   ${NETWORKS.slice(0, 3).join(', ')},
                   ${NETWORKS.slice(3).join(', ')} (default: regtest)
  --content DIR    a folder whose content may be made into torrents; may be given again
  --tower          a settlement tower too, with a database of its own; a real one stands elsewhere (docs/tower.md)
  --no-mine        on regtest, leave mining to others (else a block 2 s after a transaction enters the mempool)
  --local-limits   limits per address and subnet hold for this machine's own addresses too, which regtest spares otherwise
  --remote-signer  keep the seed in a process of its own, which signs for the settler
  --yes            bring missing servers without asking (so it is without a terminal)

Servers of your own are used when the environment names them: DATABASE_URL, NATS_URL, REDIS_URL, and BTC_RPC with
BTC_COOKIE (or credentials in the URL) and BTC_ZMQ. TREASURY_ADDRESS or TREASURY_XPUB says where the
settler sweeps earnings. A signer is told of FEE_SAT_PER_DAY, LOWER_PAYMENTS_UNTIL and UNSURE_KEYS_SIGN_UNTIL too.`;

/**
 * Reads the command line.
 * @param root where the default state folder goes
 * @param cwd where relative paths start
 */
export function parseStartOptions(args: readonly string[], root: string, cwd: string): ParsedOptions {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (thrown) {
    return usage(thrown instanceof Error ? thrown.message : String(thrown));
  }
  if (values.help === true) return { ok: false, code: 'help' };
  const nodes = Number(values.nodes ?? '1');
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
    return usage(`--nodes takes a number from 1 to ${MAX_NODES}, not "${values.nodes}"`);
  }
  const network = NETWORKS.find((name) => name === (values.network ?? 'regtest'));
  if (network === undefined) return usage(`--network takes one of ${NETWORKS.join(', ')}, not "${values.network}"`);
  if (values.state === '') return usage('--state takes a folder');
  if (values.once === true && values['no-sale'] === true) return usage('--once waits for a sale, --no-sale makes none');
  const contentRoots = (values.content ?? []).map((folder) => resolve(cwd, folder));
  if (contentRoots.some((folder) => /[,=]/.test(folder)))
    return usage('--content takes no folder with , or = in its path');
  return {
    ok: true,
    options: {
      once: values.once === true,
      sale: values['no-sale'] !== true,
      stateDir: values.state === undefined ? resolve(root, '.seedfleet') : resolve(cwd, values.state),
      nodes,
      network,
      mine: values['no-mine'] !== true,
      tower: values.tower === true,
      contentRoots,
      localLimits: values['local-limits'] === true,
      remoteSigner: values['remote-signer'] === true,
      yes: values.yes === true,
    },
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: false,
    strict: true,
    options: {
      once: { type: 'boolean' },
      'no-sale': { type: 'boolean' },
      state: { type: 'string' },
      nodes: { type: 'string' },
      network: { type: 'string' },
      'no-mine': { type: 'boolean' },
      tower: { type: 'boolean' },
      content: { type: 'string', multiple: true },
      'local-limits': { type: 'boolean' },
      'remote-signer': { type: 'boolean' },
      yes: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}

function usage(problem: string): ParsedOptions {
  return { ok: false, code: 'usage', problem };
}
