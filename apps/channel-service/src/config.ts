import { brokerConfig, commonConfig, databaseConfig, redisConfig } from '@seedfleet/service-kit';
import { z } from 'zod';
import { destinationOf, isFault, type Destination } from './keys/destination.js';

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
    /** local: this settler has the seed. remote: another process has it (ROLE=signer), and signs by rules of its own. */
    SIGNER: z.enum(['local', 'remote']).default('local'),
    /** The encrypted seed. Created on the first start of a settler whose database knows no seed. */
    SEED_FILE: z.string().optional(),
    /** A file whose content opens the seed: a passphrase or random bytes. */
    SEED_KEY_FILE: z.string().optional(),
    /** The operator's own wallet: where the settler sweeps what was earned, and nowhere else. Without it nothing is swept. */
    TREASURY_ADDRESS: z.string().optional(),
    /**
     * In place of TREASURY_ADDRESS: the public key of an account of that wallet (`zpub…`, `xpub…`), or a descriptor as
     * `wpkh(xpub…/0/*)`. Each sweep goes to the next of its receiving addresses.
     */
    TREASURY_XPUB: z.string().optional(),
    /** The first address of TREASURY_XPUB that is used: the number of those that the wallet has given out already. */
    TREASURY_FIRST_INDEX: z.coerce.number().int().min(0).default(0),
  })
  .superRefine((config, context) => {
    if (config.ROLE === 'intake') return;
    const destination = destinationOf(config, config.SEEDFLEET_NETWORK);
    if (isFault(destination)) {
      context.addIssue({ code: 'custom', path: [destination.variable], message: destination.message });
    }
    for (const name of ['SEED_FILE', 'SEED_KEY_FILE'] as const) {
      if (config.SIGNER === 'remote' && config[name] !== undefined) {
        context.addIssue({ code: 'custom', path: [name], message: 'no business of a settler with SIGNER=remote' });
      }
      if (config.SIGNER === 'local' && config[name] === undefined) {
        context.addIssue({ code: 'custom', path: [name], message: 'needed by the settler, which signs' });
      }
    }
  });

export type ChannelServiceConfig = z.output<typeof channelServiceConfig>;

/** The operator's own wallet of a configuration that was parsed; null where none is named. */
export function checkedDestination(config: ChannelServiceConfig): Destination | null {
  const destination = destinationOf(config, config.SEEDFLEET_NETWORK);
  return isFault(destination) ? null : destination;
}
