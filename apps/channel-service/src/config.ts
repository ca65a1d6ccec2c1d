import { brokerConfig, commonConfig, databaseConfig, redisConfig } from '@seedfleet/service-kit';
import { z } from 'zod';

/** What this service reads of the environment. */
export const channelServiceConfig = commonConfig
  .extend({
    ...databaseConfig,
    ...redisConfig,
    ...brokerConfig,
    /** intake: opens, verifies, stores; holds no private key. settler: seed, signing, broadcasting. all: both. */
    ROLE: z.enum(['intake', 'settler', 'all']).default('all'),
    /** `true`: limits per subnet hold for this machine's own addresses too, which regtest spares otherwise. */
    LIMIT_LOCAL_ADDRESSES: z.stringbool().default(false),
    /** The encrypted seed. Created on the first start of a settler whose database knows no seed. */
    SEED_FILE: z.string().optional(),
    /** A file whose content opens the seed: a passphrase or random bytes. */
    SEED_KEY_FILE: z.string().optional(),
  })
  .superRefine((config, context) => {
    if (config.ROLE === 'intake') return;
    for (const name of ['SEED_FILE', 'SEED_KEY_FILE'] as const) {
      if (config[name] === undefined) {
        context.addIssue({ code: 'custom', path: [name], message: 'needed by the settler, which signs' });
      }
    }
  });

export type ChannelServiceConfig = z.output<typeof channelServiceConfig>;
