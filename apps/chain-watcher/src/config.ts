import { commonConfig, databaseConfig } from '@seedfleet/service-kit';
import { z } from 'zod';

/** What chain-watcher reads from the environment. */
export const chainWatcherConfig = commonConfig.extend({
  ...databaseConfig,
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
