import { commonConfig, databaseConfig } from '@seedfleet/service-kit';
import { z } from 'zod';

/** What chain-watcher reads from the environment. */
export const chainWatcherConfig = commonConfig.extend({
  ...databaseConfig,
  /** fleet: answers the fleet. tower: holds the fleet's dated orders, elsewhere, and sends those that are not taken back. */
  ROLE: z.enum(['fleet', 'tower']).default('fleet'),
  /** `true`: the fleet has a tower. Dated orders are passed on to it, and it is the first to send them. */
  TOWER: z.stringbool().default(false),
  /** How long a due order is looked at before it is sent, seconds: longer than a transaction takes to be seen everywhere. */
  ORDER_GRACE_SECONDS: z.coerce.number().int().min(0).max(600).default(30),
  /** RPC address of the Bitcoin node, with user and password unless BTC_COOKIE is given. */
  BTC_RPC: z.url({ protocol: /^https?$/ }),
  /** Path of the node's cookie file. */
  BTC_COOKIE: z.string().optional(),
  /** Address of the node's ZMQ publisher (hashblock and hashtx). Without it the chain is polled every 2 s. */
  BTC_ZMQ: z
    .string()
    .regex(/^(tcp|ipc):\/\/\S+$/, 'tcp://HOST:PORT')
    .optional(),
  /**
   * Where fee rates come from: the node's estimates, or a fixed 1 sat/vB. Default: fixed on regtest, where blocks are
   * mined at will and an estimate only echoes what test wallets happened to pay; the node elsewhere.
   */
  FEE_ESTIMATES: z.enum(['node', 'fixed']).optional(),
  /** Copies that the broker keeps of each stream: 1 on one machine, 3 in production. */
  NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
});

/** Resolves the default of FEE_ESTIMATES. */
export function feeSource(config: z.infer<typeof chainWatcherConfig>): 'node' | 'fixed' {
  return config.FEE_ESTIMATES ?? (config.SEEDFLEET_NETWORK.startsWith('regtest') ? 'fixed' : 'node');
}

export type ChainWatcherConfig = z.infer<typeof chainWatcherConfig>;
