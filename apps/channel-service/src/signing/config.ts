import { commonConfig } from '@seedfleet/service-kit';
import { z } from 'zod';
import { destinationOf, isFault, type Destination } from '../keys/destination.js';

/** What the signer reads of the environment: channel-service with ROLE=signer. It has no database. */
export const signerConfig = commonConfig
  .extend({
    /** What makes it a signer. */
    ROLE: z.literal('signer'),
    /** The encrypted seed. Created on the first start. */
    SEED_FILE: z.string(),
    /** A file whose content opens the seed: a passphrase or random bytes. */
    SEED_KEY_FILE: z.string(),
    /** The append-only log of what was signed. The signer's own: it is kept as long as the seed. */
    SIGNING_LOG: z.string(),
    /** Lines after which the log is continued in a further file. Default: the policy's. */
    SIGNING_LOG_SEGMENT_LINES: z.coerce.number().int().min(2).optional(),
    /** The operator's own wallet: where sweeps may go, and nowhere else. Without it none is signed. */
    TREASURY_ADDRESS: z.string().optional(),
    /** In place of TREASURY_ADDRESS: the public key of an account of that wallet, as the settler has it. */
    TREASURY_XPUB: z.string().optional(),
    /** The first address of TREASURY_XPUB that is paid to. */
    TREASURY_FIRST_INDEX: z.coerce.number().int().min(0).default(0),
    /** Satoshi that children and, apart from them, sweeps and splits may cost in fees per day. Default: the policy's. */
    FEE_SAT_PER_DAY: z
      .string()
      .regex(/^[1-9]\d{0,15}$/)
      .transform((text) => BigInt(text))
      .optional(),
    /**
     * Up to this moment (ISO 8601, UTC) settlements below one that was signed are signed too: for a database that was restored and
     * has lost payments.
     */
    LOWER_PAYMENTS_UNTIL: z.iso.datetime().optional(),
    /**
     * After the log was put back from a copy: up to this moment (ISO 8601, UTC) keys sign of which the copy may lack the last
     * signatures. Whoever sets it vouches for the settler.
     */
    UNSURE_KEYS_SIGN_UNTIL: z.iso.datetime().optional(),
  })
  .superRefine((config, context) => {
    const destination = destinationOf(config, config.SEEDFLEET_NETWORK);
    if (!isFault(destination)) return;
    context.addIssue({ code: 'custom', path: [destination.variable], message: destination.message });
  });

export type SignerConfig = z.output<typeof signerConfig>;

/** The operator's own wallet of a configuration that was parsed; null where none is named. */
export function signerDestination(config: SignerConfig): Destination | null {
  const destination = destinationOf(config, config.SEEDFLEET_NETWORK);
  return isFault(destination) ? null : destination;
}
