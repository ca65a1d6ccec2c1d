import { brokerConfig, commonConfig, databaseConfig, redisConfig } from '@seedfleet/service-kit';
import { scriptOfAddress } from '@seedfleet/wallet';
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
    /**
     * Which unconfirmed fundings count as replaceable and are not served before their first block: those that say so
     * (BIP 125), all of them, or none. Where it is not given, the policy's choice for the network.
     */
    ZERO_CONF_REPLACEABLE: z.enum(['as-signalled', 'always', 'never']).optional(),
    /** When a funding that had a rival is served again: in a block, or when no rival was seen for a while. */
    ZERO_CONF_AFTER_CONFLICT: z.enum(['confirmation', 'quiet']).default('confirmation'),
    /** `true`: the fleet has a tower, which has to acknowledge that it holds no other settlement. */
    TOWER: z.stringbool().default(false),
    /** The encrypted seed. Created on the first start of a settler whose database knows no seed. */
    SEED_FILE: z.string().optional(),
    /** A file whose content opens the seed: a passphrase or random bytes. */
    SEED_KEY_FILE: z.string().optional(),
    /** The operator's own wallet: where the settler sweeps what was earned, and nowhere else. Without it nothing is swept. */
    TREASURY_ADDRESS: z.string().optional(),
  })
  .superRefine((config, context) => {
    if (config.ROLE === 'intake') return;
    const { TREASURY_ADDRESS: address, SEEDFLEET_NETWORK: network } = config;
    if (address !== undefined && scriptOfAddress(address, network) === undefined) {
      context.addIssue({ code: 'custom', path: ['TREASURY_ADDRESS'], message: `no address of ${network}` });
    }
    for (const name of ['SEED_FILE', 'SEED_KEY_FILE'] as const) {
      if (config[name] === undefined) {
        context.addIssue({ code: 'custom', path: [name], message: 'needed by the settler, which signs' });
      }
    }
  });

export type ChannelServiceConfig = z.output<typeof channelServiceConfig>;
